"""CSV rows and JSONL records of any shape -> cases, through the `mapping` of the config."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from curator.config import FieldMapping, LogsConfig
from curator.errors import ConfigError, RecordError
from curator.readers.feedback import feedback, nonblank, read_thumb, reference
from curator.readers.hints import key_inside, key_paths, listed, nearest
from curator.readers.json_text import as_text, decoded, type_name
from curator.readers.messages import read_messages
from curator.readers.outcome import finish_reason_of
from curator.readers.pieces import Exchange
from curator.readers.reader import LogRecord, Reader
from curator.readers.replies import Reply, holds_reply, read_reply
from curator.records import JsonValue, Message, Scalar, Source

_log = logging.getLogger(__name__)


def lookup(value: JsonValue, path: str) -> JsonValue:
    """Return the value at a dotted path (`choices.0.message.content`), None if nothing is there.

    A key that has dots of its own is found too, and so is a path into a text that holds JSON.
    """
    value = decoded(value)
    if isinstance(value, list):
        head, _, rest = path.partition(".")
        item = value[int(head)] if head.isdecimal() and len(head) < 10 and int(head) < len(value) else None
        return lookup(item, rest) if rest else item
    if not isinstance(value, dict):
        return None
    if path in value:
        return value[path]
    for at, character in enumerate(path):
        if character == "." and path[:at] in value and (inner := lookup(value[path[:at]], path[at + 1 :])) is not None:
            return inner
    return None


def mapped_keys(mapping: FieldMapping) -> dict[str, str]:
    """The keys or columns that a mapping names, by what they are for (`input`, `metadata`, ...)."""
    single = {name: key for name, key in mapping.model_dump(exclude={"metadata"}).items() if key is not None}
    return single | {f"metadata[{index}]": key for index, key in enumerate(mapping.metadata)}


class Mapper:
    """Reads records through one mapping."""

    def __init__(
        self,
        mapping: FieldMapping,
        *,
        system: str | None = None,
        examples: Sequence[tuple[str, str]] = (),
        task: str | None = None,
    ) -> None:
        self.mapping = mapping
        self._examples = tuple(
            message
            for question, answer in examples
            for message in (Message("user", question), Message("assistant", answer))
        )
        self._system = system
        self._task = task

    def fits(self, record: Mapping[str, JsonValue]) -> bool:
        """Return whether the record has the key of the input."""
        return self._get(record, self.mapping.input) is not None

    def read(self, record: dict[str, JsonValue], source: Source) -> Exchange:
        """The exchange of one record. An empty CSV cell is None in the record.

        Raises:
            RecordError: the input is missing, or cannot be asked as text.
        """
        mapping = self.mapping
        messages = self._messages(record)
        target = self._get(record, mapping.target)
        reply = None if target is None else _read_target(target)
        finish_reason = finish_reason_of(self._get(record, mapping.finish_reason))
        if reply is not None and finish_reason:
            reply = replace(reply, finish_reason=finish_reason)
        correction = self._get(record, mapping.correction)
        return Exchange(
            source=source,
            messages=messages,
            reply=reply,
            conversation=mapping.target is None and not self._examples and messages[-1].role == "assistant",
            task=nonblank(self._get(record, mapping.task)) or self._task,
            model=nonblank(self._get(record, mapping.model)),
            feedback=feedback(read_thumb(self._get(record, mapping.thumb)), correction),
            reference=reference(self._get(record, mapping.label), None),
            metadata=self._metadata(record),
            log_id=nonblank(self._get(record, mapping.id)),
        )

    def _get(self, record: Mapping[str, JsonValue], key: str | None) -> JsonValue:
        if key is None:
            return None
        value = record.get(key)
        return lookup(dict(record), key) if value is None and "." in key else value

    def _messages(self, record: dict[str, JsonValue]) -> tuple[Message, ...]:
        key = self.mapping.input
        value = self._get(record, key)
        if value is None:
            raise _no_input(record, key)
        messages = _read_input(value, key)
        system = nonblank(self._get(record, self.mapping.system)) or self._system
        if system and not any(message.role == "system" for message in messages):
            messages = (Message("system", system), *messages)
        start = next((i for i, message in enumerate(messages) if message.role != "system"), len(messages))
        return (*messages[:start], *self._examples, *messages[start:])

    def _metadata(self, record: dict[str, JsonValue]) -> dict[str, Scalar]:
        fields = {key: self._get(record, key) for key in self.mapping.metadata}
        return {
            key: value if isinstance(value, (str, int, float)) else as_text(value) or ""
            for key, value in fields.items()
            if value is not None
        }


def _read_input(value: JsonValue, key: str) -> tuple[Message, ...]:
    """One user message, or the conversation that the value holds as a list or a request body."""
    structure = decoded(value)
    if isinstance(structure, dict):
        structure = [structure] if "role" in structure else structure.get("messages")
    if isinstance(structure, list) and any(isinstance(item, dict) and "role" in item for item in structure):
        return read_messages(structure)
    if isinstance(value, (dict, list)):
        keys, inside = "no messages", f"{key}.0"
        if isinstance(value, dict):
            keys, inside = listed(key_paths(value)), key_inside(key, value)
        raise RecordError(
            f"the input {key!r} is a JSON {type_name(value)} with {keys}",
            f"map a text or a list of messages; a key inside is written with a dot, such as `input: {inside}`",
        )
    return (Message("user", as_text(value) or ""),)


def _read_target(value: JsonValue) -> Reply:
    """An answer: a completion or a message where it is one, else the text or JSON as it is."""
    structure = decoded(value)
    return read_reply(structure) if holds_reply(structure) else Reply(as_text(value))


def _no_input(record: dict[str, JsonValue], key: str) -> RecordError:
    if key in record:
        return RecordError(f"the input {key!r} is empty", "log the text that the user sent, or leave such records out")
    keys = key_paths(record)
    return RecordError(
        f"no input: the key {key!r} is not among {listed(keys)}",
        f"set `logs.mapping.input` to the key of the user's text{nearest(key, keys)}",
    )


def _mapping_of(options: LogsConfig) -> FieldMapping:
    if options.mapping is None:
        raise ConfigError(
            "'logs.format' is 'mapped' and a mapping is missing",
            remedy="name the key or column that holds the user's text: `logs: {mapping: {input: ...}}`",
        )
    return options.mapping


def _sniff_mapped(record: Mapping[str, JsonValue], options: LogsConfig) -> float:
    """Sure where the record has the mapped input."""
    return float(options.mapping is not None and Mapper(options.mapping).fits(record))


def _parse_mapped(record: LogRecord, options: LogsConfig) -> Exchange:
    mapper = Mapper(_mapping_of(options), system=options.system, examples=options.examples, task=options.task)
    return mapper.read(record.cells, record.source)


def _columns(options: LogsConfig) -> Mapping[str, str]:
    return {f"logs.mapping.{name}": key for name, key in mapped_keys(_mapping_of(options)).items()}


MAPPED = Reader(
    name="mapped",
    description="CSV, or JSONL of any shape, through `logs.mapping`.",
    understands=frozenset({"question", "answer", "system", "feedback"}),
    sniff=_sniff_mapped,
    parse=_parse_mapped,
    reads_csv=True,
    columns=_columns,
)
