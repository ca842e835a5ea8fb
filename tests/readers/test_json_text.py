from typing import Any

import orjson
import pytest

from curator.errors import RecordError
from curator.readers.json_text import as_text, decoded, load_object


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": 1}\r', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": NaN, "b": -Infinity, "c": [Infinity]}', {"a": None, "b": None, "c": [None]}),
        (b'{"a": NaN, "id": 123456789012345678901234567890}', {"a": None, "id": 1.2345678901234568e29}),
        (b'{"a": NaN, "id": 123456789012345678}', {"a": None, "id": 123456789012345678}),
        (b'{"a": "NaN"}', {"a": "NaN"}),
        (b'{"a": "\\u0000"}', {"a": "\0"}),
    ],
)
def test_what_writers_emit_is_read(data: bytes, value: Any) -> None:
    assert load_object(data) == value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a": 1', "ends too early"),
        (b'{"a": 1,}', "trailing comma is not allowed, at character"),
        (b'{"a": NaN', "invalid JSON"),
        (b'{"a": NaN, "b": "\\ud800"}', "cannot be written again"),
        (b'{"a": "\\ud83d"}', "half a character"),
        (b"[1]", "a JSON array"),
        (b'"x"', "a JSON string"),
        (b"true", "a JSON boolean"),
        (b"null", "a JSON null"),
        (b"{'a': 1}", "at character 2"),
        (b'{"a": "\xff"}', "invalid UTF-8 at byte 8"),
        (b'{"a": ' + b"[" * 240 + b"]" * 240 + b"}", "cannot be written again"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "depth limit"),
        (b'{"a": NaN, "b": ' + b"[" * 5000 + b"]" * 5000 + b"}", "invalid JSON"),
    ],
)
def test_what_is_no_record_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(RecordError) as caught:
        load_object(data)
    assert reason in caught.value.reason
    assert caught.value.remedy


def test_a_flat_value_with_many_brackets_is_fine() -> None:
    data = orjson.dumps({"a": [[n] for n in range(500)]})
    assert load_object(data) == {"a": [[n] for n in range(500)]}


@pytest.mark.parametrize(
    ("value", "out"),
    [('{"a": 1}', {"a": 1}), (" [1]", [1]), ("[1", "[1"), ("12", "12"), (None, None), ({"a": 1}, {"a": 1})],
)
def test_decoded(value: Any, out: Any) -> None:
    assert decoded(value) == out


@pytest.mark.parametrize(
    ("value", "text"), [(None, None), ("x", "x"), (False, "false"), (1.5, "1.5"), ({"a": []}, '{"a":[]}')]
)
def test_as_text(value: Any, text: str | None) -> None:
    assert as_text(value) == text
