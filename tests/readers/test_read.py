import gzip
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from curator.config import LogsConfig
from curator.errors import ConfigError, LogsError
from curator.readers.read import read
from curator.records import Case, OtherRecord, RejectedRecord, Source
from tests.readers.reading_kit import read_all

DATA = Path(__file__).parents[1] / "data" / "logs"


def records(path: Path | str, **config: Any) -> list[Case | RejectedRecord]:
    everything = read(LogsConfig(paths=(str(path),), **config))
    return [record for record in everything if not isinstance(record, OtherRecord)]


def cases(path: Path | str, **config: Any) -> list[Case]:
    found = records(path, **config)
    assert all(isinstance(record, Case) for record in found), found
    return [record for record in found if isinstance(record, Case)]


def the_problem(path: Path | str, **config: Any) -> RejectedRecord:
    (found,) = records(path, **config)
    assert isinstance(found, RejectedRecord)
    return found


def write(path: Path, *rows: Any) -> Path:
    path.write_bytes(b"".join((row if isinstance(row, bytes) else orjson.dumps(row)) + b"\n" for row in rows))
    return path


def pair(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "response": f"re: {text}"}


def test_the_chat_sample() -> None:
    found = cases(DATA / "chat.jsonl")
    assert [case.source.line for case in found] == [1, 2, 3, 4, 5, 6]
    assert {case.source.file for case in found} == {str(DATA / "chat.jsonl")}
    assert [case.target for case in found] == [
        "billing",
        "It is on its w",
        '{"tool_calls":[{"arguments":{"city":"Köln"},"name":"weather"}]}',
        "Your parcel assistant.",
        "A noodle soup.",
        None,
    ]
    assert [case.truncated for case in found] == [False, True, False, False, False, False]


def test_the_damaged_sample_loses_no_line_and_says_why() -> None:
    found = records(DATA / "damaged.jsonl")
    assert {record.source.line: record.user for record in found if isinstance(record, Case)} == {
        1: "question 1",
        14: "second",
        17: "question 17",
    }
    reasons = {
        2: "ends too early",
        3: "invalid UTF-8 at byte 47",
        5: "NUL bytes",
        6: "a JSON array",
        7: "no user message",
        8: "an image in the content",
        9: "unknown role 'wizard'",
        10: "'question', 'reply', 'meta.lang'",
        11: "half a character",
        12: "more follows after the value",
        13: "the user message is empty",
        15: "an answer without its question",
        16: "a JSON number",
    }
    problems = {record.source.line: record for record in found if isinstance(record, RejectedRecord)}
    assert problems.keys() == reasons.keys()
    for line, reason in reasons.items():
        assert reason in problems[line].reason
        assert problems[line].remedy
    assert "{input: question, target: reply}" in problems[10].remedy


def test_the_table_sample() -> None:
    mapping = {"input": "question", "target": "answer", "thumb": "verdict", "id": "ticket", "metadata": ["lang"]}
    found = cases(DATA / "tickets.csv", mapping=mapping, task="support")
    assert [(case.source.line, case.log_id, case.user, case.target) for case in found] == [
        (2, "T-1", "Where is my parcel?", "On its way."),
        (3, "T-2", "Two lines:\r\nsecond; line", 'He said "yes".'),
        (6, "T-3", "Wo ist mein Paket?", "Unterwegs."),
    ]
    assert [case.feedback and case.feedback.thumb for case in found] == ["up", "down", None]
    assert [case.metadata for case in found] == [{"lang": "en"}, {"lang": "en"}, {"lang": "de"}]
    assert {case.task for case in found} == {"support"}


def test_the_damaged_table_sample() -> None:
    found = records(DATA / "damaged.csv", mapping={"input": "question", "target": "answer"})
    assert {record.source.line: record.user for record in found if isinstance(record, Case)} == {
        2: "Where is it?",
        4: "Still read?",
        7: "spans\nlines",
        11: "last",
    }
    reasons = {record.source.line: record.reason for record in found if isinstance(record, RejectedRecord)}
    assert reasons.keys() == {3, 5, 6, 9, 10}
    assert "broken quoting" in reasons[3]
    assert reasons[5] == "3 fields where the header has 2"
    assert reasons[6] == "1 field where the header has 2"
    assert "invalid UTF-8 at byte 4" in reasons[9]
    assert reasons[10] == "the input 'question' is empty"


def test_paths_on_the_command_line_replace_those_of_the_config(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", pair("x"))
    config = LogsConfig(paths=("missing.jsonl",))
    assert len(list(read(config, paths=[str(file)]))) == 1
    with pytest.raises(LogsError, match="missing"):
        read(config)


def test_no_paths_at_all() -> None:
    with pytest.raises(LogsError, match="no logs are named"):
        read(LogsConfig())


def test_mapped_without_a_mapping(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a mapping is missing"):
        records(write(tmp_path / "a.jsonl", pair("x")), format="mapped")


def test_empty_files_give_nothing(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.csv", "c.csv.gz"):
        (tmp_path / name).write_bytes(gzip.compress(b"") if name.endswith("gz") else b"")
    (tmp_path / "d.csv").write_bytes(b"question,answer\n")
    assert records(tmp_path, mapping={"input": "question"}) == []


def test_auto_reads_each_file_by_its_first_readable_records(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", b"broken", pair("chat"), pair("chat"), pair("chat"), {"q": "not chat"})
    write(tmp_path / "b.jsonl", {"q": "mapped"}, pair("no q"))
    write(tmp_path / "c.csv", b"q,r", b"row,x")
    found = records(tmp_path, mapping={"input": "q"})
    assert [record.user if isinstance(record, Case) else record.reason.split(":")[0] for record in found] == [
        "invalid JSON",
        "chat",
        "chat",
        "chat",
        "not a chat-completions record",
        "mapped",
        "no input",
        "row",
    ]


def test_a_format_that_is_set_is_not_guessed(tmp_path: Path) -> None:
    both = {**pair("chat"), "q": "mapped"}
    file = write(tmp_path / "a.jsonl", both)
    mapping = {"input": "q"}
    assert [cases(file, mapping=mapping, format=f)[0].user for f in ("auto", "mapped", "chat")] == [
        "mapped",
        "mapped",
        "chat",
    ]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_document_is_read_as_its_records(tmp_path: Path, indent: int | None) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"data": [pair("x"), pair("y")]}, indent=indent))
    assert [case.user for case in cases(tmp_path / "a.json")] == ["x", "y"]


@pytest.mark.parametrize("first", [b"{", b"[", b'{"messages": [', b"[1, 2]", b"garbage", b'{"a": 1,'])
def test_one_damaged_first_line_costs_one_record(tmp_path: Path, first: bytes) -> None:
    file = write(tmp_path / "a.jsonl", first, *(pair(str(n)) for n in range(20)))
    found = records(file)
    assert [isinstance(record, Case) for record in found] == [False] + [True] * 20


def test_a_file_without_a_known_suffix_is_told_by_its_content(tmp_path: Path) -> None:
    assert cases(write(tmp_path / "access.log", pair("x")))[0].user == "x"
    assert cases(write(tmp_path / "export", b"q\ta", b"x\ty"), mapping={"input": "q", "target": "a"})[0].target == "y"
    assert len(records(write(tmp_path / "b.log", b"# a comment", pair("x")))) == 2


def test_a_csv_file_that_holds_json_lines_is_read_as_such(tmp_path: Path) -> None:
    assert cases(write(tmp_path / "a.csv", pair("x")))[0].user == "x"


def test_a_table_without_a_mapping_suggests_one(tmp_path: Path) -> None:
    rejected = records(write(tmp_path / "a.csv", b"when,Subject line,agent text", b"1,x,y", b"2,x,y"))
    assert [r.source.line for r in rejected] == [2, 3]
    found = rejected[0]
    assert isinstance(found, RejectedRecord)
    assert "'when', 'Subject line', 'agent text'" in found.reason
    assert "{input: Subject line, target: agent text, time: when}" in found.remedy
    assert "its rows are not read" in the_problem(write(tmp_path / "empty.csv", b"when,Subject line,text")).reason
    found = the_problem(write(tmp_path / "b.txt", b"some prose", b"and more"))
    assert "neither JSONL nor CSV" in found.reason


@pytest.mark.parametrize("column", ["questoin", "Question"])
def test_a_missing_column_names_those_that_exist(tmp_path: Path, column: str) -> None:
    file = write(tmp_path / "a.csv", b"question,answer", b"x,y")
    with pytest.raises(LogsError) as caught:
        records(file, mapping={"input": "question", "metadata": [column]})
    assert f"no column {column!r} (`logs.mapping.metadata[0]`)" in caught.value.what
    assert "'question', 'answer'" in caught.value.what
    assert "did you mean 'question'?" in caught.value.remedy


def test_a_dotted_key_leads_into_a_column_of_json(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", b"id,request", b'1,"{""text"": ""x""}"', b"2,plain")
    first, second = records(file, mapping={"input": "request.text"})
    assert isinstance(first, Case)
    assert first.user == "x"
    assert isinstance(second, RejectedRecord)


def test_a_record_that_is_too_long_is_set_aside(tmp_path: Path) -> None:
    rows = [pair("x"), pair("y" * 5000), pair("z")]
    found = records(write(tmp_path / "a.jsonl", *rows), max_record_mb=0.002)
    assert [isinstance(record, Case) for record in found] == [True, False, True]
    assert found[1].source == Source(str(tmp_path / "a.jsonl"), 2)


def test_a_cut_off_archive_is_one_more_unreadable_record(tmp_path: Path) -> None:
    data = gzip.compress(b"".join(orjson.dumps(pair(f"{n} {hash(n) * 7919 % 10007}")) + b"\n" for n in range(3000)))
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(data[: len(data) // 2])
    *good, last = records(file)
    assert len(good) > 100
    assert all(isinstance(record, Case) for record in good)
    assert isinstance(last, RejectedRecord)
    assert (last.source.line, last.reason) == (len(good) + 1, "the gzip data are cut off")


def test_a_mapped_key_that_no_record_has_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"q": "x", "a": "y"}, {"q": "x", "note": None})
    assert read_all([file], mapping={"input": "q", "target": "a", "correction": "note"})[1].account.note_lines() == []
    account = read_all([file], mapping={"input": "q", "target": "answer", "label": "gold"})[1].account
    assert account.note_lines() == ["no record has 'answer'; 'gold': `logs.mapping` names it"]


def test_a_misspelt_key_gets_its_nearest_one(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"q": "x", "reply": {"answer": "y"}})
    account = read_all([file], mapping={"input": "q", "target": "reply.anwser"})[1].account
    assert account.note_lines() == [
        "no record has 'reply.anwser', did you mean 'reply.answer'?: `logs.mapping` names it"
    ]


def test_reading_is_lazy(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", pair("x"))
    write(tmp_path / "b.csv", b"no,such", b"1,2")
    stream = read(LogsConfig(paths=(str(tmp_path),), mapping={"input": "response"}))  # type: ignore[arg-type]
    assert isinstance(next(stream), Case)
    with pytest.raises(LogsError):
        next(stream)


def test_logs_are_read_from_an_address(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/logs/2026/one", orjson.dumps(pair("x"), option=orjson.OPT_INDENT_2))
    try:
        (case,) = cases("memory://logs")
        assert (case.user, str(case.source)) == ("x", "memory:///logs/2026/one:1")
    finally:
        memory.store.clear()


def test_the_account_tells_containers_encodings_guesses_and_skipped_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    text = "\n".join(json.dumps(pair(f"Päckchen für Jörg {n}"), ensure_ascii=False) for n in range(5))
    (tmp_path / "a" / "latin.log").write_bytes(text.encode("windows-1252"))
    (tmp_path / "a" / "b.json").write_text(json.dumps([pair("x")]))
    (tmp_path / "a" / "README.md").write_text("about")
    reading = read(LogsConfig(), paths=[str(tmp_path / "a")])
    assert [case.user for case in reading if isinstance(case, Case)][:2] == ["x", "Päckchen für Jörg 0"]
    account = reading.account
    assert [(f.container, f.encoding) for f in account.files.values()] == [("json", "utf-8"), ("jsonl", "windows-1252")]
    assert [Path(item.file).name for item in account.skipped] == ["README.md"]
    (note,) = account.notes
    assert "was read as windows-1252" in note
