"""The values of each key over some records, and what they say whatever its name."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from curator.readers.feedback import is_opinion
from curator.readers.json_text import decoded
from curator.readers.replies import holds_reply
from curator.readers.scales import read_number
from curator.readers.speakers import ORDER_KEYS, TIME_KEYS, plain_name, role_of
from curator.readers.times import seconds_of
from curator.records import JsonValue, Role

_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]\s*$")
_MOST_KEYS = 400
_DEEP = 5
_NOTHING = ("nan", "NaN", "null", "NULL", "None", "<NA>", "NaT")
"""The texts of pandas and of databases for a cell without a value."""
_LEAST_TURNS = 4
_MANY_TEXTS = 12
"""More different texts than this are no categories."""
_MOST_OF = 0.8
_LONGEST_ID = 80
_SMALL = 1000
"""Numbers below this one may count the turns of a conversation."""
_PAIR = 2
_LEAST_SPEAKERS = 8
_WORDS_OF_NAME = 4
_ABOUT_HALF = 0.35, 0.65
_SELDOM = 0.2
"""Of values without an order, half of those after a value that is there half of the time are the same one."""


@dataclass(slots=True)
class Column:
    """The values of a key over some records, without empty ones.

    Attributes:
        path: the key, dotted inside objects.
        order: its place among the keys.
        values: its values that are not empty.
        rows: the places of their records.
    """

    path: str
    order: int
    values: list[JsonValue] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The plain name of the key itself."""
        return name_of_column(self.path.rpartition(".")[2])

    @property
    def distinct(self) -> int:
        """The number of different values."""
        return len({str(value) for value in self.values})


def name_of_column(key: str) -> str:
    """The plain name of a key without what is in brackets behind it: `Rating (1-5)` is `rating`."""
    return plain_name(_BRACKETS.sub("", key)) or plain_name(key)


def columns_of(records: Sequence[Mapping[str, JsonValue]]) -> list[Column]:
    """The columns of records, in the order in which their keys occur."""
    columns: dict[str, Column] = {}
    for row, record in enumerate(records):
        for path, value in _leaves(record, "", 0):
            if path not in columns and len(columns) < _MOST_KEYS:
                columns[path] = Column(path, len(columns))
            if path in columns and value not in (None, "", [], {}, *_NOTHING):
                columns[path].values.append(value)
                columns[path].rows.append(row)
    return list(columns.values())


def _is_message(value: Mapping[str, JsonValue], depth: int) -> bool:
    """Return whether an object is a message, or inside of others its speaker."""
    if depth:
        return "role" in value
    return "role" in value and not value.keys().isdisjoint(
        ("content", "parts", "text", "tool_calls", "value", "message")
    )


def _leaves(record: Mapping[str, JsonValue], above: str, depth: int) -> Iterable[tuple[str, JsonValue]]:
    """Yield the paths of the values; a request, a message or a response is one value."""
    for key, raw in record.items():
        value = decoded(raw)
        whole = isinstance(value, dict) and ("messages" in value or _is_message(value, depth) or holds_reply(value))
        if isinstance(value, dict) and value and not whole and depth < _DEEP:
            yield from _leaves(value, f"{above}{key}.", depth + 1)
        else:
            yield above + key, raw


def is_free_text(column: Column, records: int) -> bool:
    """Return whether most values are several words, and differ; in long logs texts occur again."""
    spoken = [value for value in column.values if isinstance(value, str) and len(value.split()) > 2]
    some = len(spoken) >= _MOST_OF * records / 2 and not all(seconds_of(value) is not None for value in spoken)
    return some and column.distinct > min(len(column.values) // 2, _MANY_TEXTS)


def joining_column(
    columns: Sequence[Column], speakers: Column, taken: set[str], roles: Mapping[str, Role | None]
) -> Column | None:
    """The column of the conversation in a log of turns; None where no column has such values.

    Its values are ids, each of which most often is on records next to each other, and is on turns of both sides. Of several such
    columns it is the one with most values: a user has several conversations.

    Args:
        columns: the columns of the log.
        speakers: the column of the speaker.
        taken: the paths of columns that hold something else.
        roles: the roles of the speakers.
    """
    sides = {row: roles.get(str(value)) for row, value in zip(speakers.rows, speakers.values, strict=True)}
    joining = [column for column in columns if column.path not in taken and _joins(column, sides)]
    return max(joining, key=lambda column: column.distinct, default=None)


def _joins(column: Column, sides: Mapping[int, Role | None]) -> bool:
    placed = [
        (row, str(value))
        for row, value in zip(column.rows, column.values, strict=True)
        if isinstance(value, str | int) and not isinstance(value, bool)
    ]
    values = [value for _, value in placed]
    turns, distinct = len(values), len(set(values))
    filled = len(column.values)
    if filled < len(sides) or turns < max(_LEAST_TURNS, _MOST_OF * filled) or not 1 < distinct <= turns / 2:
        return False
    if column.name in ORDER_KEYS or column.name in TIME_KEYS or not all(map(_is_id, values)):
        return False
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, value in placed:
        rows_of[value].append(row)
    if all(value.isdecimal() and int(value) < _SMALL for value in values) and max(map(len, rows_of.values())) <= _PAIR:
        return False  # may as well be the number of the question in one conversation
    beside = sum(value == following for value, following in pairwise(values))
    if 2 * beside < turns - distinct:
        return False
    *complete, _ = rows_of.values()  # the last conversation may be cut off
    both = sum({"user", "assistant"} <= {sides.get(row) for row in rows} for rows in complete)
    return both >= _MOST_OF * len(complete)


def _is_id(value: str) -> bool:
    """Return whether a text is one word with a number in it, and no time."""
    text = value.strip()
    is_word = len(text) <= _LONGEST_ID and not any(map(str.isspace, text)) and any(map(str.isdigit, text))
    return is_word and (text.isdecimal() or seconds_of(text) is None)


def dominant_speaker(column: Column) -> str | None:
    """The speaker of about half of the turns, among several others; None where there is none.

    It is a program: its turns hardly ever follow each other.
    """
    names = [value for value in column.values if isinstance(value, str)]
    usual = Counter(names).most_common(2)
    if len(names) < max(_LEAST_SPEAKERS, len(column.values)) or column.distinct <= _PAIR:
        return None
    (name, count), (_, next_count) = usual
    about_half = _ABOUT_HALF[0] * len(names) <= count <= _ABOUT_HALF[1] * len(names) and 2 * next_count <= count
    again = sum(value == following == name for value, following in pairwise(names))
    is_name = all(len(value.split()) <= _WORDS_OF_NAME for value in names)
    return name if about_half and is_name and again <= count * _SELDOM else None


def roles_of_names(column: Column, *, guess: bool) -> dict[str, str] | None:
    """The roles of speakers whose names say none: {} where all do, None where it is not clear."""
    names = list(dict.fromkeys(str(value) for value in column.values))
    unknown = [name for name in names if role_of(name) is None]
    sides = {role_of(name) for name in names} & {"user", "assistant"}
    if not unknown:
        return {}
    if len(unknown) == 1 and len(sides) == 1:
        return {unknown[0]: "assistant" if "user" in sides else "user"}
    if guess and len(unknown) == len(names) and (program := dominant_speaker(column)) is not None:
        return {program: "assistant"}
    return dict(zip(unknown, ("user", "assistant"), strict=True)) if guess and len(unknown) == 2 and not sides else None


def thumb_column(columns: Sequence[Column], taken: set[str]) -> Column | None:
    """The only column whose values are thumbs, drawn or in words such as `not helpful`."""
    return _only_column(columns, taken, is_opinion)


def rating_column(columns: Sequence[Column], taken: set[str]) -> Column | None:
    """The only column whose values are ratings with their scale, such as `4/5` or drawn stars."""
    return _only_column(columns, taken, _names_scale)


def _only_column(columns: Sequence[Column], taken: set[str], fits: Callable[[JsonValue], bool]) -> Column | None:
    fitting = [each for each in columns if each.path not in taken and each.values and all(map(fits, each.values))]
    return fitting[0] if len(fitting) == 1 else None


def _names_scale(value: JsonValue) -> bool:
    """Return whether a text is a rating with its scale; a share in percent may be anything."""
    read = read_number(value) if isinstance(value, str) and not value.rstrip().endswith("%") else None
    return read is not None and read[1] is not None
