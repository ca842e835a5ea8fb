from typing import Any

import pytest

from curator.readers.feedback import read_feedback, read_thumb, reference
from curator.records import Feedback, Reference


@pytest.mark.parametrize(
    "value",
    ["up", "UP ", "thumbs_up", "Thumbs-Up", 1, 1.0, "1", "+1", True, "true", "good", "positive", "like", "👍", "👍🏽"],
)
def test_thumbs_up(value: Any) -> None:
    assert read_thumb(value) == "up"


@pytest.mark.parametrize(
    "value",
    [
        "down",
        "thumbs down",
        -1,
        0,
        -1.0,
        "-1",
        "0",
        False,
        "False",
        "bad",
        "negative",
        "dislike",
        "👎",
        "👎🏿",
        "no útil",
        "nicht gut",
    ],
)
def test_thumbs_down(value: Any) -> None:
    assert read_thumb(value) == "down"


@pytest.mark.parametrize("value", [None, "", 2, 5, 4.5, 0.5, "5", "meh", "3/5", [], {"a": 1}, -2, "+"])
def test_no_thumb(value: Any) -> None:
    assert read_thumb(value) is None


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({}, None),
        ({"feedback": None}, None),
        ({"feedback": {"thumb": "up"}}, Feedback("up")),
        ({"feedback": {"score": 0, "comment": "no"}}, Feedback(None, None, "no", given={"score": 0})),
        ({"feedback": {"rating": "good"}}, Feedback("up")),
        ({"feedback": {"rating": 1}}, Feedback(given={"rating": 1})),
        ({"rating": "5"}, Feedback(given={"rating": "5"})),
        ({"feedback": {"rating": 5, "thumbs": "down"}}, Feedback("down", given={"rating": 5})),
        ({"feedback": "👍"}, Feedback("up")),
        ({"feedback": True}, Feedback("up")),
        ({"feedback": '{"thumb": -1, "correction": "x"}'}, Feedback("down", "x")),
        ({"thumb": 1, "correction": {"a": 1}, "comment": "c"}, Feedback("up", '{"a":1}', "c")),
        ({"correction": "  "}, None),
        ({"feedback": ["up"]}, None),
    ],
)
def test_feedback_nested_or_flat(record: dict[str, Any], expected: Feedback | None) -> None:
    assert read_feedback(record) == expected


def test_a_label_goes_before_a_correction() -> None:
    assert reference("L", "C", by="ana") == Reference("L", "label", "ana")
    assert reference(" ", "C", by="ana") == Reference("C", "correction")
    assert reference(None, "") is None
    assert reference(0, None) == Reference("0", "label")


@pytest.mark.parametrize(
    "record", [{"feedback_rating": False}, {"user_feedback": "schlecht"}, {"feedback": {"rating": False}}]
)
def test_thumbs_under_the_names_of_gateways(record: dict[str, Any]) -> None:
    read = read_feedback(record)
    assert read is not None
    assert read.thumb == "down"
