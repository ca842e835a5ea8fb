"""CSV rows and JSONL records of any shape -> cases, through the `mapping` of the config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from curator.config import FieldMapping, LogsConfig
from curator.errors import ConfigError, RecordError
from curator.readers.account import EMPTY
from curator.readers.cells import is_logged_error
from curator.readers.documents import read_documents
from curator.readers.feedback import feedback, nonblank, opposite_key, read_thumb, reference, thumb_of_flag
from curator.readers.hints import key_inside, key_paths, listed, nearest
from curator.readers.json_text import as_text, decoded, type_name
from curator.readers.layout import found_mapping
from curator.readers.options import request_options
from curator.readers.outcome import failed_status, failed_text, finish_reason_of
from curator.readers.paths import beginnings, lookup_key
from curator.readers.pieces import Exchange, Place, Turn
from curator.readers.reader import LogRecord, Reader
from curator.readers.replies import Reply, failed_reply, holds_reply, read_reply
from curator.readers.requests import is_request, read_request
from curator.readers.scales import number_of
from curator.readers.span_messages import span_messages
from curator.readers.speakers import flagged_role, marks_bot, name_words, role_of, role_of_others, speaker_of
from curator.readers.suggest import suggested_mapping
from curator.readers.times import seconds_of
from curator.readers.tools import plain_tools
from curator.readers.turns import earlier_key, earlier_turns, is_conversation, read_conversation
from curator.records import Feedback, JsonValue, Message, Role, Scalar, Source

NO_SESSION = (
    "no session is mapped: the turns of a file are read as one conversation; several ones need the key that their turns share, "
    "`logs: {mapping: {session: ...}}`, beside `input` and `role`"
)
SPREADSHEET_ERROR = "an error of the spreadsheet such as `#NAME?` in the place of a value: read as an empty cell"
_OTHER = ("roles", "feedback_scale", "metadata", "input")


def mapped_keys(mapping: FieldMapping) -> dict[str, str]:
    """The keys or columns that a mapping names, by what they are for (`input`, `metadata`, ...)."""
    inputs = (mapping.input,) if isinstance(mapping.input, str) else mapping.input
    keys = {f"input[{index}]" if len(inputs) > 1 else "input": key for index, key in enumerate(inputs)}
    keys |= {name: key for name in type(mapping).model_fields if name not in _OTHER and (key := getattr(mapping, name))}
    return keys | {f"metadata[{index}]": key for index, key in enumerate(mapping.metadata)}


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
        self._inputs = (mapping.input,) if isinstance(mapping.input, str) else mapping.input
        keys = mapped_keys(mapping)
        self._keys = {name: key for name, key in keys.items() if not name.startswith(("input", "metadata["))}
        self._used = frozenset(keys.values())
        self._begun = frozenset(part for key in self._used for part in beginnings(key))
        self._ms = "ms" in name_words(mapping.latency or "") or "milliseconds" in name_words(mapping.latency or "")

    def fits(self, record: Mapping[str, JsonValue]) -> bool:
        """Return whether the record has the key of the input."""
        return any(lookup_key(record, key) is not None for key in self._inputs)

    def read(self, record: dict[str, JsonValue], source: Source) -> Exchange | Turn:
        """The exchange or the turn of one record. An empty CSV cell is None in the record.

        Raises:
            RecordError: the input is missing, or cannot be asked as text.
        """
        values = {name: lookup_key(record, key) for name, key in self._keys.items()}
        errors = [name for name, value in values.items() if is_logged_error(value)]
        values |= dict.fromkeys(errors)
        about = self._about(record, values, source)
        if errors:
            about = replace(about, notes=(SPREADSHEET_ERROR,))
        if self.mapping.role is not None:
            return self._turn(record, values, about)
        messages, whole = self._messages(record, values)
        reply = self._reply(values)
        if self.mapping.turn is not None and not whole:
            return self._row_of_session(messages, reply, values, about)
        _check_speaker(record, self.mapping, self._begun)
        return replace(
            about,
            messages=messages,
            reply=reply,
            conversation=self.mapping.target is None and not self._examples and messages[-1].role == "assistant",
        )

    def _about(self, record: dict[str, JsonValue], values: Mapping[str, JsonValue], source: Source) -> Exchange:
        """Everything but the question and the answer."""
        latency, cost = _number(values.get("latency")), _number(values.get("cost"))
        body = decoded(lookup_key(record, self._inputs[0]))
        return Exchange(
            source=source,
            options=self._options(values, body if isinstance(body, dict) else {}),
            documents=read_documents(values.get("documents")),
            task=nonblank(values.get("task")) or self._task,
            model=nonblank(values.get("model")) or (nonblank(body.get("model")) if isinstance(body, dict) else None),
            feedback=self._feedback(record, values),
            reference=reference(values.get("label"), None),
            session=nonblank(values.get("session")),
            user=nonblank(values.get("user")),
            time=seconds_of(values.get("time")),
            latency_s=latency / 1000 if latency is not None and self._ms else latency,
            cost_usd=cost,
            metadata=self._metadata(record),
            log_id=nonblank(values.get("id")),
            unused=self._unused(record),
        )

    def _turn(self, record: dict[str, JsonValue], values: Mapping[str, JsonValue], about: Exchange) -> Turn:
        place = None
        if self.mapping.parent is not None and about.log_id:
            place = Place(span=about.log_id, parent=nonblank(values.get("parent")))
        notes = about.notes if about.session else (*about.notes, NO_SESSION)
        turn = Turn(
            message=Message("user", ""),
            session=about.session,
            exchange=replace(about, reply=self._outcome(values), place=place, notes=notes),
            order=self._order(values, about),
        )
        try:
            role, content = self._role(nonblank(values.get("role"))), self._input(record)
            if role == "system" and isinstance(content, str) and failed_text(content) is not None:
                role = "assistant"  # a notice in place of an answer
            chat: dict[str, JsonValue] = {"role": role, "content": content}
            chat |= {key: record[key] for key in ("tool_calls", "tool_call_id") if record.get(key) is not None}
            *before, turn.message = span_messages([chat]) or (Message(role, ""),)
            turn.before = tuple(before)
        except RecordError as error:
            turn.problem = error
        return turn

    def _role(self, speaker: str | None) -> Role:
        key = (self.mapping.role or "").rpartition(".")[2]
        if marks_bot(key):
            return "assistant" if speaker else "user"
        if speaker is None:
            raise RecordError(
                f"no speaker: {self.mapping.role!r} is empty", "log who said each turn, or leave the turn out"
            )
        roles = self.mapping.roles
        role = roles.get(speaker) or flagged_role(key, speaker) or role_of(speaker) or role_of_others(roles)
        if role is None:
            raise RecordError(
                f"the speaker {speaker[:40]!r} has no role that is known",
                "say beside `role` who it is, `user`, `assistant`, `system` or `tool`: "
                f"`logs: {{mapping: {{roles: {{{speaker[:40]}: user}}}}}}`; where only assistants are named, all others are users",
            )
        return role

    def _row_of_session(
        self, messages: tuple[Message, ...], reply: Reply | None, values: Mapping[str, JsonValue], about: Exchange
    ) -> Turn:
        """A record of question and answer as a turn of its session."""
        reply = reply or Reply()
        return Turn(
            message=Message("assistant", reply.text or ""),
            before=messages,
            session=about.session,
            exchange=replace(about, reply=reply),
            order=self._order(values, about),
        )

    def _order(self, values: Mapping[str, JsonValue], about: Exchange) -> float | None:
        turn = values.get("turn")
        if turn is None:
            return about.time
        number = _number(turn)
        return seconds_of(turn) if number is None else number

    def _messages(
        self, record: dict[str, JsonValue], values: Mapping[str, JsonValue]
    ) -> tuple[tuple[Message, ...], bool]:
        """The messages, and whether the record holds them as a list."""
        value = self._input(record)
        messages = _read_input(value, self._inputs[0], self.mapping.roles)
        whole = not isinstance(value, str) or len(messages) > 1
        if not whole and self.mapping.turn is None:
            messages = (*earlier_turns(record, messages[-1], self.mapping.roles), *messages)
        system = nonblank(values.get("system")) or self._system
        if system and not any(message.role == "system" for message in messages):
            messages = (Message("system", system), *messages)
        start = next((i for i, message in enumerate(messages) if message.role != "system"), len(messages))
        return (*messages[:start], *self._examples, *messages[start:]), whole

    def _input(self, record: dict[str, JsonValue]) -> JsonValue:
        inputs = [value for key in self._inputs if (value := lookup_key(record, key)) is not None]
        if not inputs:
            raise _no_input(record, self._inputs[0])
        if all(map(is_logged_error, inputs)):
            raise RecordError(
                f"the input {self._inputs[0]!r} is an error of the spreadsheet, not a text",
                "write the text again into the file (a cell that begins with = + - or @ takes an apostrophe before it), or "
                "leave the row out",
            )
        if len(inputs) == 1:
            return inputs[0]
        return "\n\n".join(text for value in inputs if (text := nonblank(value)))

    def _reply(self, values: Mapping[str, JsonValue]) -> Reply | None:
        target = values.get("target")
        reply = None if target is None else _read_target(target)
        outcome = self._outcome(values)
        if outcome is None or outcome.finish_reason is None:
            return reply
        if outcome.finish_reason == "error":
            return failed_reply(reply)
        return replace(reply, finish_reason=outcome.finish_reason) if reply is not None else None

    def _outcome(self, values: Mapping[str, JsonValue]) -> Reply | None:
        """The outcome that the record states beside the answer."""
        if failed_status(values.get("status")):
            return failed_reply()
        reason = finish_reason_of(values.get("finish_reason"))
        return Reply(finish_reason=reason) if reason else None

    def _feedback(self, record: Mapping[str, JsonValue], values: Mapping[str, JsonValue]) -> Feedback | None:
        given: dict[str, Scalar] = {}
        thumb, rating = values.get("thumb"), values.get("rating")
        read = thumb_of_flag(record, self.mapping.thumb or "", thumb)
        if (
            isinstance(rating, str | int | float)
            and not isinstance(rating, bool)
            and rating != ""
            and self.mapping.rating
        ):
            given[self.mapping.rating] = rating
        is_number = _number(thumb) is not None and read_thumb(thumb) is None
        if is_number and isinstance(thumb, str | int | float) and self.mapping.thumb:
            given[self.mapping.thumb] = thumb
        return feedback(read, values.get("correction"), values.get("comment"), given)

    def _options(self, values: Mapping[str, JsonValue], body: dict[str, JsonValue]) -> dict[str, JsonValue]:
        options = request_options(body, decoded(values.get("options")))
        tools = plain_tools(values.get("tools")) or plain_tools(options.get("tools"))
        return options | ({"tools": tools} if tools else {})

    def _metadata(self, record: dict[str, JsonValue]) -> dict[str, Scalar]:
        fields = ((key, lookup_key(record, key)) for key in self.mapping.metadata)
        filled = ((key, value) for key, value in fields if value is not None)
        return {key: value if isinstance(value, str | int | float) else as_text(value) or "" for key, value in filled}

    def _unused(self, record: dict[str, JsonValue]) -> tuple[str, ...]:
        read = {earlier_key(record) if self.mapping.role is None and self.mapping.turn is None else None}
        read |= {opposite_key(record.keys(), self.mapping.thumb)} if self.mapping.thumb else set()
        return tuple(
            key for key, value in record.items() if key not in self._begun and key not in read and value not in EMPTY
        )


def _number(value: JsonValue) -> float | None:
    return number_of(value) if isinstance(value, str | int | float) else None


def _read_input(value: JsonValue, key: str, roles: Mapping[str, Role]) -> tuple[Message, ...]:
    """One user message, or the conversation that the value holds as a list or a request body."""
    structure = decoded(value)
    system: JsonValue = None
    if isinstance(structure, dict) and "role" not in structure and is_request(structure):
        return read_request(structure).messages
    if isinstance(structure, dict):
        system = structure.get("system")
        structure = [structure] if "role" in structure else structure.get("messages")
    if isinstance(structure, list) and any(isinstance(item, dict) and "role" in item for item in structure):
        messages = span_messages(structure)
        text = nonblank(system)
        return (Message("system", text), *messages) if text else messages
    if is_conversation(structure) and isinstance(structure, list):
        return tuple(read_conversation(structure, roles).messages)
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
    """An answer: the response of an API where it is one, else the text or JSON as it is."""
    if isinstance(value, str):
        return read_reply(value)
    return read_reply(value) if holds_reply(value) else Reply(as_text(value))


def _check_speaker(record: Mapping[str, JsonValue], mapping: FieldMapping, used: frozenset[str]) -> None:
    """Check that a record is not a turn of the assistant, which would be asked as a question.

    Raises:
        RecordError: it is.
    """
    if mapping.target is not None:
        return
    speaker = speaker_of({key: value for key, value in record.items() if key not in used}, {})
    if speaker is None and record.get("type") == "message":
        speaker = next(((key, "assistant") for key, value in record.items() if value and marks_bot(key)), None)
    if speaker is not None and speaker[1] == "assistant" and isinstance(record.get(speaker[0]), str):
        raise RecordError(
            f"a turn of the assistant (`{speaker[0]}`), not a question",
            f"this is a log of turns: name the keys of the speaker and the session, {suggested_mapping([record])}",
        )


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


class _Mappers:
    """The mapper of each config object, made once instead of for each record."""

    _MOST = 16

    def __init__(self) -> None:
        self._by_id: dict[int, tuple[LogsConfig, Mapper]] = {}

    def of(self, options: LogsConfig) -> Mapper:
        entry = self._by_id.get(id(options))
        if entry is None or entry[0] is not options:
            mapper = Mapper(_mapping_of(options), system=options.system, examples=options.examples, task=options.task)
            if len(self._by_id) >= self._MOST:
                self._by_id.clear()
            entry = self._by_id[id(options)] = (options, mapper)
        return entry[1]


_MAPPERS = _Mappers()


def _sniff_mapped(record: Mapping[str, JsonValue], options: LogsConfig) -> float:
    """Sure where the record has the mapped input."""
    return float(options.mapping is not None and _MAPPERS.of(options).fits(record))


def _sniff_file(records: Sequence[Mapping[str, JsonValue]], options: LogsConfig) -> float:
    """Sure of records with the mapped input, unless they are turns without a mapped speaker.

    Read through such a mapping, what the assistant said would be asked as a user's question.
    """
    mapping = options.mapping
    if mapping is None:
        return 0.0
    if mapping.target is None and mapping.role is None:
        fields = found_mapping(records)
        if "role" in fields and fields["input"] == mapping.input:
            return 0.0
    return sum(_sniff_mapped(record, options) for record in records)


def parse_mapped(record: LogRecord, options: LogsConfig) -> Exchange | Turn:
    """The exchange or the turn of a record, through the mapping of the options."""
    return _MAPPERS.of(options).read(record.cells, record.source)


MAPPED = Reader(
    name="mapped",
    description="CSV, or JSONL of any shape, through `logs.mapping`.",
    understands=frozenset(
        {"question", "answer", "system", "tools", "documents", "feedback", "outcome", "time", "task"}
    ),
    sniff=_sniff_mapped,
    sniff_file=_sniff_file,
    parse=parse_mapped,
    reads_csv=True,
    columns=lambda options: {f"logs.mapping.{name}": key for name, key in mapped_keys(_mapping_of(options)).items()},
)
