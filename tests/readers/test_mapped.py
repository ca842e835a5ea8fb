from typing import Any

import pytest

from curator.config import FieldMapping
from curator.errors import RecordError
from curator.readers.mapped import Mapper, mapped_keys
from curator.readers.paths import lookup
from curator.records import Case, Feedback, Message, Reference, Source
from tests.readers.reading_kit import case_of

SOURCE = Source("log.csv", 2)


def read(record: dict[str, Any], **mapping: Any) -> Case:
    return case_of(Mapper(FieldMapping(**mapping)).read(record, SOURCE))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", {"b": {"c": 1}}),
        ("a.b.c", 1),
        ("dotted.key", 2),
        ("outer.dotted.key.x", 3),
        ("list.1.x", 4),
        ("list.7.x", None),
        ("list.x", None),
        ("text.x", 5),
        ("a.b.c.d", None),
        ("nothing", None),
        ("a..b", None),
    ],
)
def test_lookup(path: str, found: Any) -> None:
    record: Any = {
        "a": {"b": {"c": 1}},
        "dotted.key": 2,
        "outer": {"dotted.key": {"x": 3}},
        "list": [{"x": 0}, {"x": 4}],
        "text": '{"x": 5}',
    }
    assert lookup(record, path) == found


def test_every_field_of_a_mapping() -> None:
    record = {
        "q": "Where?",
        "a": "There.",
        "n": 17,
        "sys": "Be brief.",
        "t": "route",
        "m": "gpt-x",
        "stop": "MAX_TOKENS",
        "v": "👎",
        "fix": "Here.",
        "gold": "Over there.",
        "lang": "en",
        "tags": ["x", 1],
        "gone": None,
    }
    case = read(
        record,
        input="q",
        target="a",
        id="n",
        system="sys",
        task="t",
        model="m",
        finish_reason="stop",
        thumb="v",
        correction="fix",
        label="gold",
        metadata=("lang", "tags", "gone"),
    )
    assert case.messages == (Message("system", "Be brief."), Message("user", "Where?"))
    assert (case.target, case.log_id, case.task, case.model, case.finish_reason) == (
        "There.",
        "17",
        "route",
        "gpt-x",
        "length",
    )
    assert case.feedback == Feedback("down", "Here.")
    assert case.reference == Reference("Over there.", "label")
    assert case.metadata == {"lang": "en", "tags": '["x",1]'}


def test_examples_stand_between_the_system_prompt_and_the_input() -> None:
    mapper = Mapper(FieldMapping(input="q"), system="Fixed.", examples=[("Is it new?", "yes")])
    spoken = [(m.role, m.content) for m in case_of(mapper.read({"q": "x"}, SOURCE)).messages]
    assert spoken == [("system", "Fixed."), ("user", "Is it new?"), ("assistant", "yes"), ("user", "x")]


def test_system_and_task_of_the_config_fill_in() -> None:
    mapper = Mapper(FieldMapping(input="q", system="s", task="t"), system="Fixed.", task="fallback")
    assert case_of(mapper.read({"q": "x"}, SOURCE)).system == "Fixed."
    assert case_of(mapper.read({"q": "x", "s": "Own."}, SOURCE)).system == "Own."
    own = [{"role": "system", "content": "In it."}, {"role": "user", "content": "x"}]
    assert case_of(mapper.read({"q": own}, SOURCE)).system == "In it."
    assert (mapper.read({"q": "x"}, SOURCE).task, mapper.read({"q": "x", "t": "own"}, SOURCE).task) == (
        "fallback",
        "own",
    )


@pytest.mark.parametrize(
    "value",
    [
        [{"role": "user", "content": "x"}],
        '[{"role": "user", "content": "x"}]',
        {"messages": [{"role": "user", "content": "x"}], "model": "m"},
        '{"messages": [{"role": "user", "content": "x"}]}',
        {"role": "user", "content": "x"},
        "x",
    ],
)
def test_an_input_may_be_text_or_messages(value: Any) -> None:
    assert read({"q": value}, input="q").messages == (Message("user", "x"),)


@pytest.mark.parametrize("text", ['{"order": 7}', "[1, 2]", "[INST] hi", "{not json", '["a"]'])
def test_an_input_that_looks_like_json_stays_text(text: str) -> None:
    assert read({"q": text}, input="q").user == text


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("text", "text"),
        ("", ""),
        (3, "3"),
        ({"a": 1}, '{"a":1}'),
        (["a"], '["a"]'),
        ('{"a": 1}', '{"a": 1}'),
        ({"role": "assistant", "content": "m"}, "m"),
        ('{"role": "assistant", "content": "m"}', "m"),
        ({"choices": [{"message": {"content": "c"}}]}, "c"),
        ([{"role": "assistant", "content": "l"}], "l"),
        (None, None),
    ],
)
def test_targets(value: Any, target: str | None) -> None:
    assert read({"q": "x", "a": value}, input="q", target="a").target == target


def test_an_answer_at_the_end_of_the_messages_is_the_target() -> None:
    conversation = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    case = read({"q": conversation}, input="q")
    assert (case.messages, case.target) == ((Message("user", "x"),), "y")


@pytest.mark.parametrize(
    ("record", "reason", "remedy"),
    [
        ({"question": "x"}, "the key 'questoin' is not among 'question'", "did you mean 'question'?"),
        ({"questoin": None}, "the input 'questoin' is empty", "log the text"),
        ({"questoin": " "}, "the user message is empty", "log the text"),
        ({"questoin": {"text": "x"}}, "is a JSON object with 'text'", "questoin.text"),
        ({"questoin": [1, 2]}, "is a JSON array", "list of messages"),
        ({"questoin": [{"role": "user"}, 3]}, "messages[1]", "role"),
    ],
)
def test_an_input_that_is_missing_says_what_to_do(record: dict[str, Any], reason: str, remedy: str) -> None:
    with pytest.raises(RecordError) as caught:
        read(record, input="questoin")
    assert reason in caught.value.reason
    assert remedy in caught.value.remedy


def test_mapped_keys_are_named_by_their_field() -> None:
    mapping = FieldMapping(input="q", label="gold", metadata=("a", "b"))
    assert mapped_keys(mapping) == {"input": "q", "label": "gold", "metadata[0]": "a", "metadata[1]": "b"}
