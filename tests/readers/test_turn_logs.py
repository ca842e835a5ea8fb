"""Logs of one turn a record: grouped by session in order of time, and never asked as a user's question."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import orjson
import pytest

from curator.readers.layout import found_mapping
from curator.readers.sessions import AFTER_DAMAGE, CONTINUED, EARLIER, MOST_UNNAMED, UNANSWERED
from curator.records import Case, OtherRecord, RejectedRecord
from tests.readers.reading_kit import read_all
from tests.readers.test_remedies import options_in

DATA = Path(__file__).parents[1] / "data" / "logs"


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def turn(session: str | None, role: str, text: Any, minute: int, **more: Any) -> dict[str, Any]:
    row = {"session_id": session, "role": role, "message": text, "timestamp": f"2026-11-20T10:{minute:02}:00Z", **more}
    return {key: value for key, value in row.items() if value is not None}


def exchanges(cases: list[Case]) -> list[tuple[list[str], str | None]]:
    return [([f"{m.role}: {m.content}" for m in case.messages], case.target) for case in cases]


SUPPORT = [
    turn("a", "user", "My card is gone", 0),
    turn("b", "user", "How do I cook rice?", 1),
    turn("a", "assistant", "Shall I block it?", 2),
    turn("b", "assistant", "With twice the water.", 3),
    turn("a", "user", "Yes", 4),
    turn("a", "assistant", "It is blocked.", 5),
]
RIGHT = [
    (["user: My card is gone"], "Shall I block it?"),
    (["user: My card is gone", "assistant: Shall I block it?", "user: Yes"], "It is blocked."),
    (["user: How do I cook rice?"], "With twice the water."),
]


@pytest.mark.parametrize("options", [{}, {"mapping": {"input": "message"}}, {"format": "turns"}])
def test_each_answer_is_the_target_of_the_turns_before_it(tmp_path: Path, options: dict[str, Any]) -> None:
    cases, reading, _ = read_all([write(tmp_path / "a.jsonl", SUPPORT)], **options)
    assert exchanges(cases) == RIGHT
    assert len({case.session for case in cases}) == 2
    assert {file.reader for file in reading.account.files.values()} == {"turns"}


def chat_message(text: str, ts: str, thread: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "user": "U1",
        "text": text,
        "ts": ts,
        **({"thread_ts": thread} if thread else {}),
        **more,
    }


BOT = {"bot_id": "B07", "subtype": "bot_message", "bot_profile": {"id": "B07", "name": "helper"}}
CHANNEL = [
    chat_message("My card is gone", "1764000000.000100", "1764000000.000100"),
    chat_message("How do I cook rice?", "1764000060.000200", "1764000060.000200"),
    chat_message("Shall I block it?", "1764000120.000300", "1764000000.000100", **BOT),
    chat_message("With twice the water.", "1764000180.000400", "1764000060.000200", **BOT),
    chat_message("Yes", "1764000240.000500", "1764000000.000100"),
    chat_message("It is blocked.", "1764000300.000600", "1764000000.000100", bot_id="B07", user="U9"),
]


@pytest.mark.parametrize("options", [{}, {"mapping": {"input": "text"}}])
def test_messages_of_a_chat_product_are_told_apart_by_the_mark_of_its_bots(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    cases, reading, _ = read_all([write(tmp_path / "a.jsonl", CHANNEL)], **options)
    assert exchanges(cases) == RIGHT
    assert {file.reader for file in reading.account.files.values()} == {"turns"}
    assert cases[0].time == 1764000120.0003


def test_a_bot_that_comes_late_is_not_asked_and_its_remedy_reads_the_log(tmp_path: Path) -> None:
    early = [chat_message(f"Question {number}?", f"17640{number:05}.0001") for number in range(30)]
    file = write(tmp_path / "a.jsonl", [*early, *CHANNEL])
    _, _, results = read_all([file], mapping={"input": "text"})
    rejected = [result for result in results if isinstance(result, RejectedRecord)]
    assert len(rejected) == 3
    assert "this is a log of turns" in rejected[0].remedy
    cases, _, _ = read_all([file], **options_in(rejected[0].remedy))
    assert [exchange for exchange in exchanges(cases) if exchange[1]] == RIGHT


def test_a_name_of_a_bot_beside_questions_and_answers_makes_no_turns() -> None:
    rows: list[dict[str, Any]] = [{"text": "Where?", "answer": "Here.", "bot_name": name} for name in ("helper", None)]
    assert found_mapping(rows)["target"] == "answer"


def test_the_order_is_that_of_time(tmp_path: Path) -> None:
    cases, _, _ = read_all([write(tmp_path / "a.jsonl", SUPPORT[::-1])])
    assert sorted(exchanges(cases)) == sorted(RIGHT)


def test_a_fixed_mapping_that_reads_turns_as_questions_is_refused_with_the_mapping_that_fits(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", SUPPORT)
    _, _, results = read_all([file], format="mapped", mapping={"input": "message"})
    rejected = [result for result in results if isinstance(result, RejectedRecord)]
    assert len(rejected) == 3
    assert "role: role, session: session_id" in rejected[0].remedy


@pytest.mark.parametrize(
    ("speaker", "user", "bot", "session", "text"),
    [
        ("speaker", "Visitor", "Support Bot", "conversation_id", "utterance"),
        ("sender_type", "customer", "agent", "thread_id", "body"),
        ("from", "human", "gpt", "chat_id", "text"),
        ("direction", "inbound", "outbound", "call_id", "content"),
        ("is_bot", False, True, "dialog_id", "text"),
        ("author", "Customer 12", "AI agent", "ticket_no", "msg"),
        ("who", "prompter", "assistant", "room_id", "message_text"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_turns_are_recognised_by_their_speakers(
    tmp_path: Path, speaker: str, user: Any, bot: Any, session: str, text: str, kind: str
) -> None:
    rows = [
        {"n": place, session: number, speaker: (user, bot)[place % 2], text: f"line {number} {place}"}
        for number in (1, 2)
        for place in range(4)
    ]
    file = tmp_path / f"a.{kind}"
    if kind == "csv":
        with file.open("w") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        write(file, rows)
    cases, _, _ = read_all([file])
    assert [(len(case.messages), case.target) for case in cases] == [
        (1, "line 1 1"), (3, "line 1 3"), (1, "line 2 1"), (3, "line 2 3"),
    ]  # fmt: skip


def test_turns_of_one_speaker_are_one_answer_and_greetings_none() -> None:
    cases, reading, _ = read_all([DATA / "turns.jsonl"])
    assert (["user: Cancel my plan"], "May I ask why?\n\nA smaller plan costs less.") in exchanges(cases)
    assert reading.account.others[CONTINUED] == 1
    assert reading.account.others[UNANSWERED] == 1
    first = next(case for case in cases if case.target == "Hold the button for ten seconds.")
    assert [message.role for message in first.messages] == ["assistant", "user"]
    assert first.feedback is not None
    assert (first.feedback.rating, first.feedback.thumb) == (0.75, "up")


def test_a_tree_gives_each_answer_its_own_history() -> None:
    cases, _, _ = read_all([DATA / "turn_tree.jsonl"])
    assert exchanges(cases) == [
        (["user: Q?"], "A1"),
        (["user: Q?"], "A2"),
        (["user: Q?", "assistant: A1", "user: Q2?"], "A3"),
    ]


def test_an_answer_after_a_turn_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    image = [{"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]
    rows = [*SUPPORT[:1], turn("a", "user", image, 1), *SUPPORT[1:]]
    cases, _, results = read_all([write(tmp_path / "a.jsonl", rows)])
    assert [case.target for case in cases] == ["With twice the water."]
    reasons = [result.reason for result in results if isinstance(result, RejectedRecord)]
    assert sum(reason.startswith(AFTER_DAMAGE) for reason in reasons) == 2
    assert len(reasons) == 3


def test_only_the_last_answers_where_the_config_says_so(tmp_path: Path) -> None:
    cases, _, results = read_all([write(tmp_path / "a.jsonl", SUPPORT)], turns="last")
    assert [case.target for case in cases] == ["It is blocked.", "With twice the water."]
    assert EARLIER in {result.what for result in results if isinstance(result, OtherRecord)}


def test_without_a_session_a_file_is_one_conversation_and_a_long_one_is_refused(tmp_path: Path) -> None:
    rows = [
        turn(None, ("user", "assistant")[n % 2], f"line {n}", n % 60, timestamp=None) for n in range(MOST_UNNAMED + 1)
    ]
    few, _, _ = read_all([write(tmp_path / "a.jsonl", rows[:4])])
    assert [len(case.messages) for case in few] == [1, 3]
    cases, _, results = read_all([write(tmp_path / "b.jsonl", rows)])
    assert not cases
    assert {"session: ..." in result.remedy for result in results if isinstance(result, RejectedRecord)} == {True}


def test_a_failed_turn_has_no_answer_and_is_not_history(tmp_path: Path) -> None:
    rows = [turn("a", "user", "Hi", 0, state="ok"), turn("a", "assistant", "try later", 1, state="failed")]
    rows += [turn("a", "user", "Hi?", 2, state="ok"), turn("a", "assistant", "Hello", 3, state="ok")]
    mapping = {"input": "message", "role": "role", "session": "session_id", "turn": "timestamp", "status": "state"}
    cases, _, _ = read_all([write(tmp_path / "a.jsonl", rows)], mapping=mapping)
    assert exchanges(cases) == [(["user: Hi"], None), (["user: Hi", "user: Hi?"], "Hello")]
    assert cases[0].failed_call


def test_a_notice_of_a_failure_in_place_of_an_answer_is_a_failed_call(tmp_path: Path) -> None:
    rows = [turn("a", "user", "Hi", 0), turn("a", "system", "Fehler: Dienst nicht erreichbar (503)", 1)]
    rows += [turn("a", "user", "Hi?", 2), turn("a", "assistant", "Hello", 3)]
    cases, reading, _ = read_all([write(tmp_path / "a.jsonl", rows)])
    assert exchanges(cases) == [(["user: Hi"], None), (["user: Hi", "user: Hi?"], "Hello")]
    assert reading.account.failed_calls == 1


def test_names_that_say_nothing_are_not_guessed(tmp_path: Path) -> None:
    names = {"user": "Anna", "assistant": "Zara"}
    rows = [{**row, "role": names[row["role"]]} for row in SUPPORT]
    assert found_mapping(rows) == {}
    assert found_mapping(rows, guess=True)["roles"] == {"Anna": "user", "Zara": "assistant"}
    file = write(tmp_path / "a.jsonl", rows)
    mapping = {"input": "message", "role": "role", "session": "session_id", "time": "timestamp"}
    _, _, results = read_all([file], mapping=mapping)
    assert "roles: {Anna: user}" in next(r.remedy for r in results if isinstance(r, RejectedRecord))
    cases, _, _ = read_all([file], mapping={**mapping, "roles": {"Anna": "user", "Zara": "assistant"}})
    assert exchanges(cases) == RIGHT


def test_rows_of_question_and_answer_have_a_history_where_their_turn_is_mapped(tmp_path: Path) -> None:
    rows = [{"s": "x", "n": n, "q": f"q{n}", "a": f"a{n}"} for n in (2, 1)] + [{"s": "y", "n": 1, "q": "q", "a": "a"}]
    file = write(tmp_path / "a.jsonl", rows)
    mapping = {"input": "q", "target": "a", "session": "s"}
    separate, _, _ = read_all([file], mapping=mapping)
    assert [len(case.messages) for case in separate] == [1, 1, 1]
    cases, _, _ = read_all([file], mapping={**mapping, "turn": "n"})
    assert exchanges(cases) == [
        (["user: q1"], "a1"), (["user: q1", "assistant: a1", "user: q2"], "a2"), (["user: q"], "a"),
    ]  # fmt: skip


def test_turns_with_a_header_of_another_language_are_read_in_order_of_their_dates(tmp_path: Path) -> None:
    path = tmp_path / "chat.csv"
    rows = ["gespraech;absender;nachricht;gesendet_am;bewertung"]
    for number in range(4):
        rows.append(f"{number};bot;Das steht in Heft {number}.;1.10.2026 9:0{number + 1};{number + 1}")
        rows.append(f"{number};kunde;Wo steht das in Fall {number}?;30.9.2026 10:0{number};")
    path.write_text("\n".join(rows))
    mapping = {"input": "nachricht", "role": "absender", "rating": "bewertung", "time": "gesendet_am"}
    with path.open(newline="") as file:
        assert found_mapping(list(csv.DictReader(file, delimiter=";"))) == mapping
    mapping["session"] = "gespraech"
    cases = read_all([path], mapping=mapping)[0]
    assert [(case.user, case.target) for case in cases] == [
        (f"Wo steht das in Fall {number}?", f"Das steht in Heft {number}.") for number in range(4)
    ]


def test_two_keys_of_free_text_are_not_guessed() -> None:
    rows: list[dict[str, Any]] = [
        {"x": side, "y": f"some words of turn {number}", "z": f"other words of turn {number}"}
        for number in range(4)
        for side in ("user", "assistant")
    ]
    assert "role" not in found_mapping(rows)


def _chat_rows(**names: str) -> list[dict[str, str | None]]:
    """Conversations of two to four questions, one after the other, with thumbs on some answers."""
    rows: list[dict[str, str | None]] = []
    for session in range(6):
        for number in range(2 + session % 3):
            id_ = f"G-{100 + session}"
            rows.append({"a": id_, "b": "Kunde", "c": f"Frage {number} von {id_}", "d": None, "e": "Web 2"})
            thumb = ("👍", None, "👎")[number % 3]
            rows.append({"a": id_, "b": "Bot", "c": f"Antwort {number} an alle", "d": thumb, "e": "Web 2"})
    return [{names.get(key, key): value for key, value in row.items()} for row in rows]


@pytest.mark.parametrize(
    ("session", "thumb"), [("Aktenzeichen", "Urteil"), ("wzr", "q7"), ("Gesprächsnummer", "Daumen")]
)
def test_the_key_of_the_conversation_and_the_thumbs_are_found_by_their_values(
    tmp_path: Path, session: str, thumb: str
) -> None:
    rows = _chat_rows(a=session, b="Absender", c="Nachricht", d=thumb, e="Kanal")
    path = tmp_path / "chat.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    cases, reading, _ = read_all([path])
    assert len(cases) == 18
    assert len({case.session for case in cases}) == 6
    assert all(case.messages[0].content.startswith("Frage 0 ") for case in cases)
    assert [case.feedback.thumb for case in cases if case.feedback].count("down") == 4
    assert set(reading.account.unused) == {"Kanal"}


def test_the_key_of_the_conversation_may_hold_odd_values_in_some_records() -> None:
    rows = _chat_rows(a="wzr", b="Absender", c="Nachricht", d="q7", e="Kanal")
    odd: Any = 1.5
    assert found_mapping([*rows, {**rows[0], "wzr": odd}])["session"] == "wzr"


@pytest.mark.parametrize(
    "values",
    [
        [0, 0, 1, 1, 2, 2, 3, 3],  # the number of the question
        [1, 2, 3, 4, 1, 2, 3, 4],  # the place of the turn
        ["v1", "v2", "v1", "v2", "v1", "v2", "v1", "v2"],  # says who speaks
        ["de", "de", "de", "de", "en", "en", "en", "en"],  # no id
        [
            "2026-01-01",
            "2026-01-01",
            "2026-01-01",
            "2026-01-01",
            "2026-01-02",
            "2026-01-02",
            "2026-01-02",
            "2026-01-02",
        ],
    ],
)
def test_values_that_join_no_turns_are_no_session(values: list[Any]) -> None:
    rows = [{"who": ("user", "bot")[n % 2], "text": f"line {n}", "x": value} for n, value in enumerate(values)]
    assert "session" not in found_mapping(rows)


def _of_many_people(program: str) -> list[dict[str, str]]:
    return [
        {"k": f"c{call}", "wer": who, "was": f"{who} sagt {call} {turn} und mehr"}
        for call in range(8)
        for turn in range(2)
        for who in (f"Frau {'ABCDE'[call % 5]}. Meier", program)
    ]


def test_of_many_people_only_the_program_needs_a_role(tmp_path: Path) -> None:
    rows = _of_many_people("Nora")
    mapping = {"input": "was", "role": "wer", "session": "k", "roles": {"Nora": "assistant"}}
    assert found_mapping(rows, guess=True) == mapping
    assert found_mapping(rows) == {}
    cases, _, _ = read_all([write(tmp_path / "a.jsonl", rows)], mapping=mapping)
    assert len(cases) == 16
    assert all(case.target and case.target.startswith("Nora sagt") for case in cases)
    assert all(case.user.startswith("Frau") for case in cases)


def test_a_column_of_editors_is_none_of_speakers() -> None:
    editors = ["AB"] * 10 + ["CD"] * 4 + ["EF"] * 4 + ["GH"] * 4
    rows = [{"frage": f"Wo ist Nummer {n} heute?", "x": f"Dort bei {n} ist es.", "bearbeiter": who}
            for n, who in enumerate(editors)]  # fmt: skip
    assert "role" not in found_mapping(rows, guess=True)


def test_marks_and_moods_are_no_thumbs() -> None:
    rows = [
        {"question": f"q {n}", "answer": f"a {n}", "done": "✅", "mood": mood, "online": "down"}
        for n, mood in enumerate(("good", "bad", "good"))
    ]
    assert found_mapping(rows).keys() == {"input", "target"}
