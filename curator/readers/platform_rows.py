"""A row of an observability platform -> the piece that it gives, for all platforms alike.

A platform's reader finds the values of a row by the platform's keys; what a call, a retrieval or a root is worth is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from curator.errors import RecordError
from curator.readers.account import EMPTY
from curator.readers.documents import read_documents
from curator.readers.feedback import nonblank
from curator.readers.hints import listed
from curator.readers.json_text import EXACT, decoded
from curator.readers.options import call_options
from curator.readers.pieces import Attachment, Exchange, NoExchange, Place
from curator.readers.platform_bodies import framework_request, framework_response
from curator.readers.replies import Reply, failed_reply
from curator.readers.span_bodies import SpanCall, hidden
from curator.readers.span_feedback import SpanRatings
from curator.readers.span_kinds import CALL, DOCUMENTS, JUDGES, is_judge
from curator.readers.span_messages import span_reply, system_messages
from curator.readers.times import elapsed
from curator.readers.tools import plain_tools
from curator.records import JsonValue, Message, RejectedRecord, Scalar, Source

_SYSTEMS = ("instructions", "system", "system_prompt", "system_instruction", "systemInstruction")
_RETRIEVAL = re.compile(r"(?<![a-z])(retriev\w*|vector ?search|similarity ?search|rerank\w*)(?![a-z])")
_LONGEST_SCALAR = 500

Fields = Mapping[str, JsonValue]


@dataclass(slots=True, kw_only=True)
class PlatformRow:
    """A row of a platform's export by the meaning of its values.

    Attributes:
        kind: `span_kinds.CALL`, `DOCUMENTS`, `JUDGES`, or another name of such rows in the plural.
        place: the ids of the row; a row without a parent is the root of its trace.
        speaks: the row is of a root, whose question and answer are those of the application.
        request: the logged input, of any framework's shape.
        response: the logged output.
        parameters: the options of the request, where they are logged beside it.
        tools: definitions of tools, where they are logged beside the request.
        failure: the text of an error, where the call failed.
        elsewhere: the reason, where the bodies are not in the export.
    """

    kind: str
    place: Place
    name: str = ""
    speaks: bool = False
    request: JsonValue = None
    response: JsonValue = None
    parameters: JsonValue = None
    tools: JsonValue = None
    failure: str | None = None
    elsewhere: RecordError | None = None
    end: float | None = None
    latency_s: float | None = None
    cost_usd: float | None = None
    model: str | None = None
    session: str | None = None
    user: str | None = None
    task: str | None = None
    metadata: dict[str, Scalar] = field(default_factory=dict)
    ratings: SpanRatings = field(default_factory=SpanRatings)
    unused: tuple[str, ...] = ()


def row_piece(row: PlatformRow, source: Source, task: str | None = None) -> Exchange | Attachment | NoExchange:
    """The piece of a row. `task` is that of calls which name none.

    Raises:
        RecordError: the messages of a call cannot be asked as text.
    """
    if row.kind == JUDGES or is_judge(row.name):
        return NoExchange(source=source, what=JUDGES, place=row.place, judges=True)
    if row.kind == CALL:
        return _exchange(row, source, task, speaks=False)
    documents = read_documents(row.response) if row.kind == DOCUMENTS or _retrieves(row) else ()
    if row.speaks and not documents and row.request not in EMPTY:
        try:
            exchange = _exchange(row, source, task, speaks=True)
        except RecordError:
            exchange = None
        if exchange is not None and (exchange.asks or exchange.problem is None):
            return exchange
    ratings = row.ratings
    if documents or ratings.feedback or ratings.reference or ratings.metadata or (row.speaks and row.metadata):
        return Attachment(
            source=source,
            place=row.place,
            what=DOCUMENTS if documents else row.kind,
            documents=documents,
            feedback=ratings.feedback,
            reference=ratings.reference,
            reply=Reply(_text(row.response)) if row.speaks and ratings.feedback else None,
            session=row.session,
            user=row.user,
            task=row.task,
            metadata={**row.metadata, **ratings.metadata} if row.speaks else dict(ratings.metadata),
            unused=row.unused,
        )
    return NoExchange(
        source=source,
        what=row.kind,
        place=row.place,
        session=row.session,
        user=row.user,
        answer=_text(row.response),
    )


def _exchange(row: PlatformRow, source: Source, task: str | None, *, speaks: bool) -> Exchange:
    response = framework_response(row.response) if row.failure is None else SpanCall()
    call = framework_request(row.request).completed(response)
    messages = _with_system(call, row) if call.messages and not hidden(call.messages) else ()
    parameters = decoded(row.parameters)
    options = call_options(parameters) if isinstance(parameters, dict) else {}
    body = decoded(row.response)
    tools = plain_tools(row.tools) or plain_tools(body.get("tools") if isinstance(body, dict) else None)
    options = {**({"tools": list(tools)} if tools else {}), **options, **call.options}
    return Exchange(
        source=source,
        messages=messages,
        reply=_reply(row, call),
        place=row.place,
        speaks=speaks,
        options=options,
        feedback=row.ratings.feedback,
        reference=row.ratings.reference,
        log_id=row.place.span,
        task=row.task or task,
        kind="json" if call.is_json else None,
        model=row.model or call.request_model or call.response_model,
        session=row.session,
        user=row.user,
        time=row.place.time,
        latency_s=_latency(row),
        cost_usd=row.cost_usd,
        metadata={**row.metadata, **row.ratings.metadata},
        problem=_problem(row, source),
        unused=row.unused,
        notes=call.notes,
    )


def _problem(row: PlatformRow, source: Source) -> RejectedRecord:
    """The reason why a row without a question is set aside."""
    if row.elsewhere is not None:
        return RejectedRecord(source, row.elsewhere.reason, row.elsewhere.remedy)
    value = decoded(row.request)
    if isinstance(value, dict) and value:
        keys = listed(list(value))
        return RejectedRecord(
            source,
            f"the input of the call is an object in which no text is the question, with the keys {keys}",
            "log the messages of the call, or read the file through a mapping that names the key of the question",
        )
    return RejectedRecord(
        source,
        "the input of the call is not in the export",
        "export the calls with their input and output, and turn off the masking of inputs in the tracer",
    )


def _with_system(call: SpanCall, row: PlatformRow) -> tuple[Message, ...]:
    """The messages with the system prompt that is logged among the options or in the response."""
    if any(message.role == "system" for message in call.messages):
        return call.messages
    for holder in (decoded(row.parameters), decoded(row.response)):
        text = next((holder[key] for key in _SYSTEMS if holder.get(key)), None) if isinstance(holder, dict) else None
        if isinstance(text, str | list) and text:
            return (*system_messages(text), *call.messages)
    return call.messages


def _reply(row: PlatformRow, call: SpanCall) -> Reply | None:
    if row.failure is not None:
        return failed_reply()
    if call.answer is not None and hidden((call.answer,)):
        return None
    if call.answer is None and call.finish_reason is None:
        return None
    return span_reply(call.answer, call.finish_reason, call.response_model)


def _latency(row: PlatformRow) -> float | None:
    measured = elapsed(row.place.time, row.end)
    return row.latency_s if measured is None else measured


def _retrieves(row: PlatformRow) -> bool:
    """Return whether a row of no special kind is a retrieval: its name or its output says so."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", row.name).lower().replace("_", " ").replace("-", " ")
    value = decoded(row.response)
    if isinstance(value, dict) and isinstance(value.get("documents"), list):
        value = value["documents"]
    if not isinstance(value, list) or not value:
        return False
    chunks = all(isinstance(item, dict) and ("page_content" in item or "pageContent" in item) for item in value)
    return chunks or _RETRIEVAL.search(plain) is not None


def _text(value: JsonValue) -> str | None:
    """The output of a row as a text: that of its message where it is one."""
    try:
        answer = framework_response(value).answer
    except RecordError:
        answer = None
    return answer.content if answer else nonblank(value)


def scalars(value: JsonValue) -> dict[str, Scalar]:
    """The scalars of a `metadata` object that are short enough to be facts."""
    value = decoded(value)
    items = value.items() if isinstance(value, dict) else ()
    return {
        key: item
        for key, item in items
        if isinstance(item, bool | int | float) or (isinstance(item, str) and 0 < len(item) <= _LONGEST_SCALAR)
    }


def words(value: JsonValue) -> str | None:
    """Tags as one text; None without any."""
    value = decoded(value)
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or None
    return nonblank(value)


def number(value: JsonValue) -> float | None:
    """A number, also as text; None for anything else and for one too large to be a measure."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except ValueError:
        return None
    return read if abs(read) < EXACT else None


def dicts(value: JsonValue) -> list[dict[str, JsonValue]]:
    """The objects of a list, also as JSON texts."""
    value = decoded(value)
    items = map(decoded, value) if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict)]


def joined_ratings(ratings: Iterable[SpanRatings]) -> SpanRatings:
    """Several ratings as one."""
    joined = SpanRatings()
    for rated in ratings:
        joined = joined.joined(rated)
    return joined


def first(fields: Fields, *keys: str) -> JsonValue:
    """The first value that is not empty."""
    return next((fields[key] for key in keys if fields.get(key) not in EMPTY), None)


def text(fields: Fields, *keys: str) -> str | None:
    """The first value that is not blank, as text."""
    return next((read for key in keys if (read := nonblank(fields.get(key)))), None)


def snake_case(fields: Fields) -> dict[str, JsonValue]:
    """The fields with keys in snake case, where an export has them in camel case."""
    return {_snake(key): value for key, value in fields.items()}


@lru_cache(maxsize=4096)  # the rows of an export have the same keys
def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower() if key.isidentifier() else key


def unread(fields: Fields, used: frozenset[str]) -> Iterator[str]:
    """Yield the keys with content that are not among the used ones."""
    for key, value in fields.items():
        if key not in used and value not in EMPTY and value not in ("{}", "[]", "null"):
            yield key
