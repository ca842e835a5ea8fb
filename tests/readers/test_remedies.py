"""Each mapping that a remedy prints, when it is followed, leads to right data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from curator.readers.suggest import suggested_mapping
from curator.records import Case, RejectedRecord
from tests.readers.reading_kit import read_all

SNIPPET = re.compile(r"`(logs: \{.*?\})`(?=[^`]|$)")


def write(path: Path, *records: Any) -> Path:
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    return path


def options_in(text: str) -> dict[str, Any]:
    """The options of the snippet of a config in a text."""
    match = SNIPPET.search(text)
    assert match, text
    options: dict[str, Any] = yaml.safe_load(match[1])["logs"]
    return options


def spoken(cases: list[Case]) -> list[tuple[str, str | None]]:
    return [(case.user, case.target) for case in cases]


def numbered(record: dict[str, Any], number: int) -> dict[str, Any]:
    """The record with the number in each of its texts."""
    text = orjson.dumps(record).decode().replace("#", str(number))
    loaded: dict[str, Any] = orjson.loads(text)
    return loaded


@pytest.mark.parametrize(
    "record",
    [
        {"subject": "Where # is it?", "agent_text": "There #.", "lang": "en"},
        {"turn": {"user": {"said": "Where # is it?"}, "response": {"text": "There #.", "ms": 3}}},
        {"request": {"text": "Where # is it?"}, "reply": {"text": "There #."}, "meta": {"id": 7}},
        {"event": {"body": "Where # is it?"}, "result": "There #."},
        {"text": "Where # is it?", "prediction": "There #.", "score": 0.5},
        {"User's text: raw": "Where # is it?", "Result (final)": "There #."},
        {
            "user_text_id": "77",
            "user_text": "Where # is it?",
            "assistant_text_at": "2026-01-01",
            "assistant_text": "There #.",
        },
    ],
)
def test_the_mapping_in_the_remedy_of_an_unknown_record_reads_it(tmp_path: Path, record: dict[str, Any]) -> None:
    file = write(tmp_path / "a.jsonl", *(numbered(record, n) for n in range(5)))
    right = [(f"Where {n} is it?", f"There {n}.") for n in range(5)]
    cases, _, results = read_all([file])
    if not cases:
        (remedy,) = {result.remedy for result in results if isinstance(result, RejectedRecord)}
        cases, _, _ = read_all([file], **options_in(remedy))
    assert spoken(cases) == right


def test_the_mapping_in_the_remedy_of_a_table_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("when,Subject line,agent text\n2026-01-01,Where?,There.\n2026-01-02,Who?,Me.\n")
    rejected, *_ = read_all([file])[2]
    assert isinstance(rejected, RejectedRecord)
    cases, _, _ = read_all([file], **options_in(rejected.remedy))
    assert spoken(cases) == [("Where?", "There."), ("Who?", "Me.")]
    assert [case.time for case in cases] == [1767225600, 1767312000]


NAMES = {"user": "Anna", "assistant": "Zara"}
TURNS = [
    {"room": f"r{room}", "author": NAMES[role], "body": f"{role} {room} {turn}", "no": turn}
    for room in range(4)
    for turn, role in enumerate(("user", "assistant", "user", "assistant"))
]


def test_a_scale_in_the_header_of_a_column_hides_no_rating() -> None:
    row = {"Frage": "Wo ist es?", "Antwort des Bots": "Dort.", "Bewertung (1-5)": 4, "Datum [MEZ]": "1.10.2026 10:00"}
    suggested = yaml.safe_load(suggested_mapping([row]).strip("`"))["logs"]["mapping"]
    assert suggested == {
        "input": "Frage",
        "target": "Antwort des Bots",
        "rating": "Bewertung (1-5)",
        "time": "Datum [MEZ]",
    }


def test_the_mapping_in_the_remedy_of_a_log_of_turns_reads_it(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", *TURNS)
    mapping = yaml.safe_load(suggested_mapping(TURNS).strip("`"))["logs"]["mapping"]
    assert mapping["roles"] == {"Anna": "user", "Zara": "assistant"}
    cases, _, _ = read_all([file], mapping={**mapping, "session": "room", "turn": "no"})
    assert spoken(cases) == [
        (f"user {room} {turn}", f"assistant {room} {turn + 1}") for room in range(4) for turn in (0, 2)
    ]


def test_the_remedies_of_a_log_of_turns_lead_there_one_after_the_other(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", *TURNS)
    options: dict[str, Any] = {"mapping": {"input": "body", "role": "author", "session": "room", "turn": "no"}}
    for _ in range(3):
        cases, _, results = read_all([file], **options)
        problems = [result for result in results if isinstance(result, RejectedRecord) and "roles" in result.remedy]
        if not problems:
            break
        named = options_in(problems[0].remedy)["mapping"]["roles"]
        name = next(iter(named))
        role = next(role for role, who in NAMES.items() if who == name)
        options["mapping"].setdefault("roles", {})[name] = role
    assert len(cases) == 8


@pytest.mark.parametrize(
    ("record", "mapping"),
    [
        ({"session_id": "s", "role": "assistant", "message": "x"}, {"input": "message", "role": "role", "session": "session_id"}),
        ({"direction": "outbound", "body": "x", "chat_id": 1}, {"input": "body", "role": "direction", "session": "chat_id"}),
        ({"is_bot": True, "text": "x", "thread_id": 1}, {"input": "text", "role": "is_bot", "session": "thread_id"}),
        ({"conversation": [{"from": "human", "value": "x"}, {"from": "gpt", "value": "y"}]}, {"input": "conversation"}),
        ({"prompt": "x", "output": {"choices": [{"message": {"role": "assistant", "content": "y"}}]}}, {"input": "prompt", "target": "output"}),
        ({"key: 'odd'": "x", "question": "q", "answer, final": "y"}, {"input": "question", "target": "answer, final"}),
        ({"question": "q", "answer": "y", "gold": "z", "stars": 3}, {"input": "question", "target": "answer", "label": "gold", "rating": "stars"}),
        ({"question": "q", "reply": "y", "thumbs": "up", "comment": "c", "cost_usd": 0.1}, {"input": "question", "target": "reply", "thumb": "thumbs", "comment": "comment", "cost": "cost_usd"}),
        ({"prompt_id": 3, "prompt": "q", "response_time": 0.3, "response": "y"}, {"input": "prompt", "target": "response", "latency": "response_time"}),
    ],
)  # fmt: skip
def test_a_suggested_mapping_knows_names_and_values(record: dict[str, Any], mapping: dict[str, Any]) -> None:
    assert yaml.safe_load(suggested_mapping([record]).strip("`")) == {"logs": {"mapping": mapping}}


@pytest.mark.parametrize(
    "record", [{"user": {"id": 3, "name": 4}}, {}, {"x" * 500: "some text"}, {"a`b\nquestion": "text"}]
)
def test_no_key_of_a_question_gives_a_placeholder(record: dict[str, Any]) -> None:
    assert suggested_mapping([record]) == "`logs: {mapping: {input: <the key of the user text>}}`"


def test_the_key_inside_of_an_input_that_is_an_object_reads_it(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"ask": {"text": "Where?", "lang": "en"}, "told": "There."})
    (rejected,) = read_all([file], mapping={"input": "ask", "target": "told"})[2]
    assert isinstance(rejected, RejectedRecord)
    inside = re.search(r"`input: (.*?)`", rejected.remedy)
    assert inside
    cases, _, _ = read_all([file], mapping={"input": inside[1], "target": "told"})
    assert spoken(cases) == [("Where?", "There.")]


def test_a_scale_that_a_note_asks_for_gives_the_ratings(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", *({"question": f"q{n}", "answer": "a", "rating": n % 3 + 1} for n in range(6)))
    (note,) = read_all([file])[1].account.note_lines()
    for options in (
        options_in(note),
        {"mapping": {"input": "question", "target": "answer", "rating": "rating", **options_in(note)}},
    ):
        cases, _, _ = read_all([file], **options)
        assert [case.feedback and case.feedback.rating for case in cases] == [0, 0.25, 0.5] * 2
