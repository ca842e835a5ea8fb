"""Transcripts of coding agents -> turns: the JSONL of Claude Code and of the Codex CLI.

Both hold what was said and done, but not the tools that were offered, and the first not the system prompt.
"""

from __future__ import annotations

from collections.abc import Mapping

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.feedback import nonblank
from curator.readers.json_text import as_text
from curator.readers.pieces import Exchange, NoExchange, Piece, Place, Turn
from curator.readers.reader import LogRecord, Reader
from curator.readers.replies import Reply, failed_reply
from curator.readers.span_attributes import content_keys
from curator.readers.span_messages import span_messages
from curator.readers.times import seconds_of
from curator.records import JsonValue, Message

META = "lines of an agent that hold no message"
NO_PROMPT = "the transcript has neither the system prompt nor the tools that the model was given"
_CODEX = frozenset(("session_meta", "response_item", "event_msg", "turn_context", "compacted"))
_CALLS = frozenset(("function_call", "custom_tool_call", "local_shell_call", "web_search_call"))
_OUTPUTS = frozenset(("function_call_output", "custom_tool_call_output", "local_shell_call_output"))
_NOTHING = Message("system", "")


def _sniff(record: Mapping[str, JsonValue], _: LogsConfig) -> float:
    kind = str(record.get("type"))
    if kind in _CODEX and isinstance(record.get("payload"), dict):
        return 0.95
    claude = "sessionId" in record and ("parentUuid" in record or "operation" in record)
    return 0.95 if claude or (kind == "summary" and "leafUuid" in record) or kind == "file-history-snapshot" else 0.0


def _parse(record: LogRecord, options: LogsConfig) -> Piece:
    turn = _codex_turn(record) if "payload" in record.cells else _claude_turn(record)
    if turn is None:
        return NoExchange(source=record.source, what=META)
    turn.exchange.task = options.task
    if turn.skipped is None:
        turn.exchange.unused = content_keys(record.cells, ("message",))
    return turn


def _claude_turn(record: LogRecord) -> Turn | None:
    cells = record.cells
    session, span = nonblank(cells.get("sessionId")), nonblank(cells.get("uuid"))
    if session is None or span is None:
        return None
    if cells.get("isSidechain") is True:
        session = f"{session}/{nonblank(cells.get('agentId')) or 'sidechain'}"
    message = cells.get("message")
    exchange = Exchange(
        source=record.source,
        place=Place(span=span, parent=nonblank(cells.get("parentUuid"))),
        session=session,
        time=seconds_of(cells.get("timestamp")),
        log_id=span,
        notes=(NO_PROMPT,),
    )
    turn = Turn(message=_NOTHING, session=session, exchange=exchange)
    if cells.get("type") not in ("user", "assistant") or not isinstance(message, dict):
        exchange.notes = ()
        turn.skipped = META
        return turn
    reason = message.get("stop_reason")
    exchange.model = nonblank(message.get("model"))
    if cells.get("isApiErrorMessage") is True:
        exchange.reply = failed_reply()
    elif isinstance(reason, str):
        exchange.reply = Reply(finish_reason=reason)
    return _with_message(turn, {"role": cells["type"], **message})


def _codex_turn(record: LogRecord) -> Turn | None:
    cells = record.cells
    payload, kind = cells.get("payload"), cells.get("type")
    if not isinstance(payload, dict):
        return None
    session = record.source.file
    exchange = Exchange(source=record.source, session=session, time=seconds_of(cells.get("timestamp")))
    turn = Turn(message=_NOTHING, session=session, exchange=exchange)
    if kind == "session_meta":
        given = payload.get("base_instructions") or payload.get("instructions")
        text = nonblank(given.get("text") if isinstance(given, dict) else given)
        if text is None:
            return None
        turn.message = Message("system", text)
        return turn
    if kind == "compacted":
        turn.begins = True
        history = payload.get("replacement_history")
        summary: JsonValue = history if isinstance(history, list) and history else payload.get("message")
        return _with_message(turn, *(summary if isinstance(summary, list) else [{"role": "user", "content": summary}]))
    if kind != "response_item":
        return None
    item = _codex_item(payload)
    return _with_message(turn, item) if item is not None else None


def _codex_item(payload: dict[str, JsonValue]) -> JsonValue:
    kind = str(payload.get("type"))
    if kind == "message":
        return payload
    id_ = payload.get("call_id") or payload.get("id")
    if kind in _OUTPUTS:
        output = payload.get("output")
        text = output.get("content") if isinstance(output, dict) and "content" in output else output
        return {"role": "tool", "tool_call_id": id_, "content": as_text(text)}
    if kind not in _CALLS:
        return None
    arguments = next((payload[key] for key in ("arguments", "input", "action") if payload.get(key) is not None), {})
    name = payload.get("name") or kind.removesuffix("_call")
    return {"role": "assistant", "tool_calls": [{"id": id_, "name": name, "arguments": arguments}]}


def _with_message(turn: Turn, *items: JsonValue) -> Turn | None:
    """The turn with its messages; None where they have no content, such as a model's thoughts."""
    try:
        messages = span_messages(list(items))
    except RecordError as error:
        turn.problem = error
        return turn
    if not messages:
        turn.skipped = META
        return turn
    *before, message = messages
    turn.message, turn.before = message, tuple(before)
    return turn


TRANSCRIPTS = Reader(
    name="transcripts",
    description="Transcripts of coding agents: the JSONL of Claude Code and of the Codex CLI.",
    understands=frozenset({"question", "answer", "system", "tools", "outcome", "time"}),
    sniff=_sniff,
    parse=_parse,
)
