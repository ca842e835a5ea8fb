"""A mapping found from records, by the names of their keys and by their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from curator.readers.columns import (
    Column,
    columns_of,
    dominant_speaker,
    is_free_text,
    joining_column,
    name_of_column,
    rating_column,
    roles_of_names,
    thumb_column,
)
from curator.readers.documents import read_documents
from curator.readers.feedback import read_thumb
from curator.readers.json_text import decoded
from curator.readers.key_names import (
    ANSWER_OBJECTS,
    ANSWERS,
    COMMENTS,
    CORRECTIONS,
    FIXED,
    ID_WORDS,
    IDS,
    LABELS,
    MODELS,
    NO_TEXT,
    PARENTS,
    QUESTION_OBJECTS,
    QUESTIONS,
    RATINGS,
    SOMETIMES_SESSIONS,
    SPEAKERS,
    SYSTEMS,
    TASKS,
    THUMBS,
    USERS,
)
from curator.readers.scales import number_of
from curator.readers.speakers import (
    ORDER_KEYS,
    ROLE_KEYS,
    SESSION_KEYS,
    TEXT_KEYS,
    TIME_KEYS,
    flagged_role,
    marks_bot,
    name_words,
    plain_name,
    role_of,
    role_of_others,
)
from curator.readers.times import seconds_of
from curator.readers.turns import is_conversation
from curator.records import JsonValue, Role

Records = Sequence[Mapping[str, JsonValue]]
_ADDRESS = re.compile(r"\w+://\S+")
_FEW = 12
_OTHER_SIDE = 300
"""Behind all other keys comes a text in an object of the other speaker: `response.text` is hardly a question."""
_MOST_OF = 0.8
_MOST_TIMES = 0.6
"""A few times that cannot be read, such as dates with slashes, cost no other record its time."""
_SURE_ROLE_KEYS = 9
_LEAST_PART = 5
"""Letters of a name that may end a longer word: `text` also ends `context`."""


def found_mapping(records: Records, *, guess: bool = False) -> dict[str, object]:
    """The fields of a mapping that fits the records; {} where no key of a question is found.

    A log of turns gives `input` and `role`, never a question. Keys whose values are all None are judged by their names. With
    `guess`, of two speakers whose names say nothing the one who speaks first is the user: a person has to check it.
    """
    columns = columns_of(records)
    turns = _turn_fields(columns, len(records), guess=guess)
    if turns is not None:
        return turns
    question = _question(columns)
    if not question:
        return {}
    taken = set(question)
    answer = _named(ANSWERS, columns, taken, _holds_answer)
    fields: dict[str, object] = {"input": question[0] if len(question) == 1 else list(question)}
    if answer and not _is_one_of_two(answer, columns):
        fields["target"] = answer.path
        taken.add(answer.path)
    return fields | _other_fields(columns, taken, in_turns=False)


def _is_one_of_two(answer: Column, columns: Sequence[Column]) -> bool:
    """Return whether another answer has the same name, as `response_a` and `response_b` have."""
    others = {
        answer.path[:-1] + pair[1 - pair.index(answer.path[-1])]
        for pair in ("ab", "AB", "12")
        if answer.path[-1] in pair
    }
    return len(answer.name) > 1 and any(column.path in others for column in columns)


def _turn_fields(columns: Sequence[Column], records: int, *, guess: bool) -> dict[str, object] | None:
    """The fields of a log of turns; None of another log, {} where the user is not clear."""
    role = _role_column(columns, records, guess=guess)
    text = _said(columns, role, records) if role is not None else None
    if role is None or text is None:
        return None
    fields: dict[str, object] = {"input": text.path, "role": role.path}
    taken = {role.path, text.path}
    if not _is_flag(role) and not marks_bot(role.path):
        roles = roles_of_names(role, guess=guess)
        if roles is None:
            return fields if guess else {}
        fields |= {"roles": roles} if roles else {}
    session = _session(columns, taken, records) or joining_column(columns, role, taken, _sides(role, fields))
    if session is not None:
        fields["session"] = session.path
        taken.add(session.path)
    parent = _named(PARENTS, columns, taken, _any)
    if parent is not None and any(column.name in IDS for column in columns):
        fields["parent"] = parent.path
        taken.add(parent.path)
    order = _named(ORDER_KEYS, columns, taken, _are_ratings)
    if order is not None and order.distinct > 1:
        fields["turn"] = order.path
        taken.add(order.path)
    return fields | _other_fields(columns, taken, in_turns=True)


def _said(columns: Sequence[Column], role: Column, records: int) -> Column | None:
    """The key of the texts of turns: a usual name, or the only key of free text of both sides."""
    named = _named(TEXT_KEYS, columns, {role.path}, _is_text_or_parts)
    sides = {role_of(str(value)) for value in role.values}
    if named is not None or not ({"user", "assistant"} <= sides or dominant_speaker(role)):
        return named
    free = [column for column in columns if column is not role and is_free_text(column, records)]
    return free[0] if len(free) == 1 else None


def _sides(role: Column, fields: Mapping[str, object]) -> Mapping[str, Role | None]:
    """The roles of the values of the column of the speaker."""
    named = fields.get("roles")
    roles = named if isinstance(named, dict) else {}
    key = role.path.rpartition(".")[2]
    return {
        str(value): roles.get(str(value)) or flagged_role(key, value) or role_of(str(value)) or role_of_others(roles)
        for value in role.values
    }


def _is_flag(column: Column) -> bool:
    name = column.path.rpartition(".")[2]
    return bool(column.values) and all(flagged_role(name, value) is not None for value in column.values)


def _role_column(columns: Sequence[Column], records: int, *, guess: bool) -> Column | None:
    """The column of the speaker: few values, a user and an assistant, or a flag as `is_bot`."""
    for column in columns:
        names = {value for value in column.values if isinstance(value, str)}
        if not column.values or len(column.values) < _MOST_OF * records or len(names) > _FEW:
            continue
        if _is_flag(column):
            return column
        if not all(isinstance(value, str) for value in column.values):
            continue
        roles = {role_of(name) for name in names}
        usual = column.name in ROLE_KEYS
        sure = column.name in ROLE_KEYS[:_SURE_ROLE_KEYS]
        if {"user", "assistant"} <= roles and (usual or records > 2):
            return column
        if roles - {None} and (sure or (guess and usual)):
            return column
        if sure and 1 < len(names) <= 4 and records > len(names):
            return column
    marks = _mark_of_bots(columns, records)
    return marks if marks is not None or not guess else _column_of_names(columns, records)


def _column_of_names(columns: Sequence[Column], records: int) -> Column | None:
    """The only column with the names of many people and of a program that answers them."""
    if _named(ANSWERS, columns, set(), _holds_answer, exact=True) is not None:
        return None
    names = [each for each in columns if len(each.values) == records and dominant_speaker(each) is not None]
    return names[0] if len(names) == 1 else None


def _mark_of_bots(columns: Sequence[Column], records: int) -> Column | None:
    """The column that only the turns of a program fill, in a log without a key of an answer.

    In the messages of a chat product (`type: message`) it is one even where all of the records have it.
    """
    marks = [column for column in columns if marks_bot(column.path) and column.values]
    answers = [name for name in ANSWERS if name not in TEXT_KEYS]
    if not marks or _named(answers, columns, set(), _holds_answer, exact=True) is not None:
        return None
    are_messages = any(column.path == "type" and set(map(str, column.values)) == {"message"} for column in columns)
    return marks[0] if len(marks[0].values) < records or are_messages else None


def _session(columns: Sequence[Column], taken: set[str], records: int) -> Column | None:
    """The key that joins turns: a usual name, or an id whose values repeat."""
    named = _named(SESSION_KEYS, columns, taken, _are_scalars)
    if named is not None:
        return named
    repeating = [
        column
        for column in columns
        if column.path not in taken
        and len(column.values) == records > 2
        and 2 * column.distinct <= records
        and set(name_words(column.path)) & ID_WORDS
    ]
    return max(repeating, key=lambda column: column.distinct, default=None)


def _question(columns: Sequence[Column]) -> list[str]:
    column = _named(QUESTIONS, columns, set(), _holds_question)
    if column is None:
        return []
    instruction = next((each for each in columns if each.path == "instruction"), None)
    if column.path == "input" and instruction is not None and _holds_question(instruction.values):
        return ["instruction", "input"]
    if instruction is not None and column.path == "instruction" and any(each.path == "input" for each in columns):
        return ["instruction", "input"]
    return [column.path]


def _other_fields(columns: Sequence[Column], taken: set[str], *, in_turns: bool) -> dict[str, object]:
    fields: dict[str, object] = {}

    def take(name: str, keys: Sequence[str], fits: Callable[[Sequence[JsonValue]], bool]) -> None:
        column = _named(keys, columns, taken, fits, exact=True)
        if column is not None:
            fields[name] = column.path
            taken.add(column.path)

    take("label", LABELS, lambda values: _holds_answer(values) and not _are_thumbs(values))
    take("correction", CORRECTIONS, _holds_answer)
    take("thumb", THUMBS, _are_thumbs)
    take("rating", RATINGS, _are_ratings)
    for name, find in (("thumb", thumb_column), ("rating", rating_column)):
        if not fields.keys() & {"thumb", "rating"} and (column := find(columns, taken)) is not None:
            fields[name] = column.path
            taken.add(column.path)
    take(
        "comment", COMMENTS, lambda values: all(isinstance(value, str) for value in values) and not _are_ratings(values)
    )
    take("system", SYSTEMS, _is_text)
    take("task", TASKS, _is_text)
    take("model", MODELS, _is_text)
    if not in_turns:
        once = {
            column.path
            for column in columns
            if column.name in SOMETIMES_SESSIONS and column.distinct == len(column.values)
        }
        session = _named(SESSION_KEYS, columns, taken | once, _are_scalars, exact=True)
        if session is not None:
            fields["session"] = session.path
            taken.add(session.path)
    take("id", IDS, lambda values: len(values) == 1 or len(set(map(str, values))) > 1)
    take("time", TIME_KEYS, _are_times)
    if "time" not in fields:
        dated = [each.path for each in columns if each.path not in taken and _are_dates(each.values)]
        if len(dated) == 1:
            fields["time"] = dated[0]
    for name, keys in FIXED.items():
        take(name, keys, _FITTING.get(name, _any))
    return fields


def _named(
    names: Sequence[str],
    columns: Sequence[Column],
    taken: set[str],
    fits: Callable[[Sequence[JsonValue]], bool],
    *,
    exact: bool = False,
) -> Column | None:
    """The least nested column with the first of the names whose values fit, if it has any."""
    best: tuple[tuple[int, int, int], Column] | None = None
    for column in columns:
        if column.path in taken or any(column.path.startswith(f"{path}.") for path in taken):
            continue
        rank = _rank(names, column.path, exact=exact)
        if rank is None or (column.values and not fits(column.values)):
            continue
        place = (rank, column.path.count("."), column.order)
        if best is None or place < best[0]:
            best = place, column
    return best[1] if best else None


def _rank(names: Sequence[str], path: str, *, exact: bool) -> int | None:
    """The place of a key among the names: by its name, by a word of it, by its object."""
    head, _, last = path.rpartition(".")
    name, above = name_of_column(last), plain_name(head.rpartition(".")[2])
    other_side = above in (ANSWER_OBJECTS if names is QUESTIONS else QUESTION_OBJECTS if names is ANSWERS else ())
    if name in names:
        return names.index(name) + (_OTHER_SIDE if other_side else 0)
    if names is SESSION_KEYS and name in ("id", "uuid") and above in names:
        return names.index(above)
    if exact or not (words := name_words(last)) or words[-1] in NO_TEXT:
        return None
    speaker = next((word for word in words if word in SPEAKERS), None)
    for place, wanted in enumerate(names):
        if wanted in words and (speaker is None or speaker == wanted or _same_side(speaker, names)):
            return 100 + place
    joined = [place for place, wanted in enumerate(names) if _is_last_part(wanted, name, names)]
    if joined:
        return 150 + joined[0]
    return 200 + names.index(above) if above in names else None


def _is_last_part(wanted: str, name: str, names: Sequence[str]) -> bool:
    """Return whether a name is the last part of a word, such as `frage` of `Kundenfrage`."""
    before = name.removesuffix(wanted).rstrip("s_")
    is_end = len(wanted) >= _LEAST_PART and before not in ("", name.rstrip("s_")) and "_" not in before
    return is_end and (before not in SPEAKERS or _same_side(before, names))


def _same_side(speaker: str, names: Sequence[str]) -> bool:
    """Return whether a speaker says what the names are for: a user questions, others answers."""
    return (speaker in USERS) == (names[0] == "input") or names is TEXT_KEYS


def _any(_: Sequence[JsonValue]) -> bool:
    return True


def _all(fits: Callable[[JsonValue], bool]) -> Callable[[Sequence[JsonValue]], bool]:
    return lambda values: all(map(fits, values))


def _are_scalars(values: Sequence[JsonValue]) -> bool:
    return not any(isinstance(decoded(value), list | dict) for value in values)


def _is_text(values: Sequence[JsonValue]) -> bool:
    return all(isinstance(value, str) for value in values) and any(
        any(map(str.isalpha, str(value))) for value in values
    )


def _is_text_or_parts(values: Sequence[JsonValue]) -> bool:
    return all(isinstance(value, str | list | dict) for value in values)


def _holds_question(values: Sequence[JsonValue]) -> bool:
    """Return whether values are texts with words, requests or conversations."""
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values):
        return any(any(map(str.isalpha, text)) and not _ADDRESS.fullmatch(text) for text in texts) and not all(
            seconds_of(text) is not None for text in texts
        )
    return all(is_conversation(value) or _is_request(value) for value in values if not isinstance(value, str))


def _is_request(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return "messages" in value or "role" in value
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) and "role" in item for item in value)


def _holds_answer(values: Sequence[JsonValue]) -> bool:
    """Return whether values may be answers; a category or a number may be one, a time not."""
    return not all(isinstance(value, str) and len(value) > 9 and seconds_of(value) is not None for value in values)


def _are_times(values: Sequence[JsonValue]) -> bool:
    read = sum(seconds_of(value) is not None for value in values)
    return read >= _MOST_TIMES * len(values)


def _are_dates(values: Sequence[JsonValue]) -> bool:
    """Return whether values are times whatever the name of their key: numbers may be anything."""
    dates = (isinstance(value, str) and not value.strip().isdecimal() for value in values)
    return bool(values) and all(dates) and _are_times(values)


def _are_thumbs(values: Sequence[JsonValue]) -> bool:
    return all(isinstance(value, str | int | float) and read_thumb(value) is not None for value in values)


def _are_ratings(values: Sequence[JsonValue]) -> bool:
    return all(isinstance(value, str | int | float) and number_of(value) is not None for value in values)


_FITTING: Mapping[str, Callable[[Sequence[JsonValue]], bool]] = {
    "latency": _are_ratings,
    "cost": _are_ratings,
    "tools": _all(lambda value: isinstance(decoded(value), list)),
    "options": _all(lambda value: isinstance(decoded(value), dict)),
    "documents": _all(lambda value: bool(read_documents(value))),
}
