"""Records with usual keys -> cases, through a mapping found from the first records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curator.config import FieldMapping, LogsConfig
from curator.errors import RecordError
from curator.readers.hints import key_paths, listed
from curator.readers.layout import found_mapping
from curator.readers.mapped import parse_mapped
from curator.readers.other_calls import step_kind
from curator.readers.pieces import Exchange, NoExchange, Turn
from curator.readers.reader import LogRecord, Reader
from curator.readers.speakers import plain_name
from curator.records import JsonValue

Records = Sequence[Mapping[str, JsonValue]]
_ASKED = frozenset(
    ("instruction", "prompt", "question", "query", "input", "user_input", "user_message", "user_query", "user_prompt", "human",
     "user_question", "customer_message", "problem", "utterance")
)  # fmt: skip
_ANSWERED = frozenset(
    ("output", "completion", "response", "answer", "reply", "chosen", "bot_response", "assistant_response", "model_response",
     "model_output", "assistant", "generated_text", "target", "bot_reply", "llm_response", "ai_response", "solution", "assistant_message")
)  # fmt: skip


def is_turn(record: Mapping[str, JsonValue]) -> float:
    """Say how sure it is that a record is one turn of a conversation."""
    return _turn_sureness([record])


def _turn_sureness(records: Records) -> float:
    """The same over several records, which may show that the values of a key repeat."""
    fields = found_mapping(records)
    return 0.0 if "role" not in fields else 0.8 if "session" in fields else 0.45


def is_pair(record: Mapping[str, JsonValue]) -> bool:
    """Return whether a record has a question and an answer under the names that data sets use."""
    fields = found_mapping([record])
    if "role" in fields or "target" not in fields:
        return False
    asked = fields["input"]
    first = str(asked[0] if isinstance(asked, list) else asked)
    return (
        plain_name(first) in _ASKED and plain_name(str(fields["target"])) in _ANSWERED and _is_text(record.get(first))
    )


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str) and not value.lstrip().startswith(("{", "["))


def _adapted(records: Records, options: LogsConfig) -> LogsConfig:
    """The options with the mapping that fits the first records; what the config names counts."""
    calls = [record for record in records if step_kind(record) is None]
    fields = found_mapping(calls or records)
    if not fields:
        return options
    named = options.mapping.model_dump(exclude_unset=True) if options.mapping else {}
    if "role" not in fields or named.get("input") != fields["input"]:
        named = {"metadata": named.get("metadata", ())}  # the mapping is for files of another layout
    mapping = FieldMapping.model_validate({**fields, **named})
    return options.model_copy(update={"mapping": mapping})


def _parse(record: LogRecord, options: LogsConfig) -> Exchange | NoExchange | Turn:
    if (step := step_kind(record.cells)) is not None and options.mapping and options.mapping.role is None:
        return NoExchange(source=record.source, what=step)
    if options.mapping is None:
        options = _adapted([record.cells], options)
    if options.mapping is None:
        keys = key_paths(record.cells)
        raise RecordError(
            f"no question is found among the keys {listed(keys)}",
            "name the key of the user's text: `logs: {mapping: {input: ...}}`",
        )
    return parse_mapped(record, options)


TURNS = Reader(
    name="turns",
    description="One turn of a conversation in each record, with its speaker; a session joins them. CSV or JSONL.",
    understands=frozenset({"question", "answer", "system", "tools", "feedback", "time", "task"}),
    sniff=lambda record, _: is_turn(record),
    sniff_file=lambda records, _: len(records) * _turn_sureness(records),
    parse=_parse,
    reads_csv=True,
    adapt=_adapted,
)
PAIRS = Reader(
    name="pairs",
    description="A question and an answer in each record under usual names (`prompt`, `completion`; Alpaca). CSV or JSONL.",
    understands=frozenset({"question", "answer", "system", "feedback", "time", "task"}),
    sniff=lambda record, _: 0.55 if is_pair(record) else 0.0,
    parse=_parse,
    reads_csv=True,
    adapt=_adapted,
)
