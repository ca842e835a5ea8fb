from typing import Any

import pytest

from curator.config import FieldMapping, LogsConfig
from curator.errors import RecordError
from curator.readers import mapped
from curator.readers.layout import found_mapping
from curator.readers.mapped import Mapper, mapped_keys
from curator.readers.paths import lookup
from curator.readers.pieces import Exchange
from curator.readers.reader import LogRecord
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


OTLP = {
    "attributes": [
        {"key": "a", "value": {"intValue": "1"}},
        {"key": "gen_ai.prompt", "value": {"stringValue": '[{"content": "hi"}]'}},
    ]
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("attributes[key=gen_ai.prompt].value", '[{"content": "hi"}]'),
        ("attributes[key=gen_ai.prompt].value.0.content", "hi"),
        ("attributes[key='a'].value", "1"),
        ("attributes[-2].value.intValue", "1"),
        ("attributes.-1.key", "gen_ai.prompt"),
        ("attributes[1].key", "gen_ai.prompt"),
        ("attributes[key=none].value", None),
        ("attributes.-3.key", None),
        ("attributes[key=a", None),
    ],
)
def test_a_path_leads_into_lists_by_key_and_from_the_end(path: str, value: Any) -> None:
    assert lookup(OTLP, path) == value  # type: ignore[arg-type]


def test_the_rest_of_a_record_is_mapped_and_what_is_not_is_named() -> None:
    record = {
        "q": "Where?", "a": "There.", "t": [{"name": "f", "input_schema": {"type": "object"}}], "o": {"max_tokens": 9},
        "docs": [{"text": "A doc", "score": 0.5}], "s": "s1", "u": 7, "at": "2026-01-01T00:00:00Z", "latency_ms": 1500,
        "usd": "0.25", "stars": "4", "says": "fine", "extra": {"b": 1}, "empty": [],
    }  # fmt: skip
    exchange = Mapper(FieldMapping(
        input="q", target="a", tools="t", options="o", documents="docs", session="s", user="u", time="at", latency="latency_ms",
        cost="usd", rating="stars", comment="says",
    )).read(record, SOURCE)  # fmt: skip
    assert isinstance(exchange, Exchange)
    case = case_of(exchange)
    assert case.options["max_tokens"] == 9
    assert case.options["tools"] == [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    assert [(document.text, document.score) for document in case.documents] == [("A doc", 0.5)]
    assert case.session
    assert case.user_id
    assert (case.time, case.latency_s, case.cost_usd) == (1767225600, 1.5, 0.25)
    assert case.feedback == Feedback(comment="fine", given={"stars": "4"})
    assert exchange.unused == ("extra",)


@pytest.mark.parametrize("status", [500, "503", "failed", "ERROR"])
def test_a_failed_status_leaves_no_answer(status: Any) -> None:
    case = read({"q": "x", "a": "Internal Server Error", "s": status}, input="q", target="a", status="s")
    assert (case.target, case.failed_call) == (None, True)
    assert read({"q": "x", "a": "y", "s": 200}, input="q", target="a", status="s").target == "y"


@pytest.mark.parametrize(
    "page", ["502 Bad Gateway", "<html><head><title>503 Service Unavailable</title></head></html>"]
)
def test_an_error_page_is_no_target_with_a_mapping_either(page: str) -> None:
    case = read({"q": "x", "a": page}, input="q", target="a")
    assert (case.target, case.failed_call) == (None, True)


@pytest.mark.parametrize("value", ["#REF!", "#NAME?", " #N/A ", "#\u00a1REF!", "#NV", "Err:508", "########"])
def test_the_error_of_a_spreadsheet_is_no_value(value: str) -> None:
    exchange = Mapper(FieldMapping(input="q", target="a", label="l")).read({"q": "x", "a": value, "l": value}, SOURCE)
    assert isinstance(exchange, Exchange)
    case = case_of(exchange)
    assert (case.target, case.reference, case.failed_call) == (None, None, False)
    assert exchange.notes == (mapped.SPREADSHEET_ERROR,)
    with pytest.raises(RecordError, match="an error of the spreadsheet"):
        read({"q": value, "a": "y"}, input="q", target="a")


@pytest.mark.parametrize("answer", ["#sold!", "#1 is C#", "Err: 508", "# Title"])
def test_an_answer_that_only_begins_as_an_error_of_a_spreadsheet_is_kept(answer: str) -> None:
    assert read({"q": "x", "a": answer}, input="q", target="a").target == answer


def test_several_keys_are_one_question() -> None:
    assert read({"i": "Sum up", "t": "Text"}, input=("i", "t")).user == "Sum up\n\nText"
    assert read({"i": "Sum up", "t": ""}, input=("i", "t")).user == "Sum up"


def test_a_mapping_is_parsed_once_for_a_config(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(mapped, "Mapper", lambda *args, **more: made.append(1) or Mapper(*args, **more))
    options = LogsConfig(mapping=FieldMapping(input="q"))
    for number in range(5):
        mapped.parse_mapped(LogRecord({"q": f"x{number}"}, SOURCE), options)
    assert len(made) == 1


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ({"Kundenfrage": "Wo?", "Bot-Antwort": "Hier.", "Hilfreich?": "nein"}, {"thumb": "Hilfreich?"}),
        ({"Nutzereingabe": "Wo?", "KI-Ausgabe": "Hier.", "Note": "4 von 5"}, {"rating": "Note"}),
        ({"userquestion": "Where?", "botreply": "Here.", "w": "★☆☆☆☆"}, {"rating": "w"}),
        ({"usermessage": "Where?", "botmessage": "Here.", "w": "pas utile"}, {"thumb": "w"}),
        ({"question": "Where?", "botreply": "Here.", "share": "80%", "note": "wrong"}, {"comment": "note"}),
    ],
)
def test_words_written_as_one_and_ratings_with_their_scale_are_found(
    row: dict[str, str], fields: dict[str, str]
) -> None:
    question, answer, *_ = row
    assert found_mapping([row, row]) == {"input": question, "target": answer, **fields}
