"""The contract that every entry of READERS keeps, on its samples and on damaged ones."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest

import curator.readers
import curator.readers.read
from benchmarks.common.log_samples import DATA, EVERY, MAPPING, SAMPLES
from curator.config import LogsConfig
from curator.errors import ConfigError, RecordError
from curator.plugins import Registry
from curator.readers import READERS, Content, LogRecord, Reader, recognise
from curator.readers.pieces import Reading
from curator.readers.read import read
from curator.readers.rows import open_records
from curator.records import Case, Message, RejectedRecord, case_id
from tests.readers.reading_kit import read_all

IDS = [f"{name}-{paths[0].name}" for name, paths in EVERY]


def options_of(name: str, **changes: Any) -> LogsConfig:
    return LogsConfig.model_validate({**SAMPLES[name][1], **changes})


ALL_PARTS = {
    "input": "asked", "target": "said", "system": "rules", "tools": "functions", "documents": "found", "thumb": "liked",
    "finish_reason": "ended", "time": "at", "task": "job",
}  # fmt: skip


def parts_of(case: Case) -> set[str]:
    """The parts of an exchange that a case has."""
    has_tools = "tools" in case.options or any(message.tool_calls for message in case.messages)
    parts = {
        "answer": case.target is not None, "system": any(message.role == "system" for message in case.messages),
        "tools": has_tools, "documents": bool(case.documents), "feedback": case.feedback is not None,
        "outcome": case.finish_reason is not None, "time": case.time is not None, "task": case.task is not None,
    }  # fmt: skip
    return {"question", *(part for part, is_there in parts.items() if is_there)}


@pytest.mark.parametrize("name", READERS.built_in)
def test_a_reader_understands_the_parts_that_its_samples_show_and_no_others(name: str) -> None:
    files: list[tuple[list[Path], dict[str, Any]]] = [
        (paths, dict(SAMPLES[name][1])) for reader, paths in EVERY if reader == name
    ]
    if name == "mapped":
        files.append(([DATA / "parts_mapped.jsonl"], {"mapping": ALL_PARTS}))
    shown = {part for paths, options in files for case in read_all(paths, **options)[0] for part in parts_of(case)}
    assert shown == READERS[name].understands


def first_record(path: Path) -> dict[str, Any]:
    rows = open_records(path, wanted=list(MAPPING.values()), max_bytes=10**6).rows
    return next(row.cells for row in rows if not isinstance(row.cells, RecordError))


def check_read(name: str, paths: Sequence[Path], **changes: Any) -> list[Reading]:
    """Read files, and check that each record ends as a case, as rejected, or as a record without a case of its own."""
    options = options_of(name, **changes).model_dump()
    options.pop("paths")
    return read_all(paths, **options)[2]


def test_every_reader_has_samples_and_says_what_it_is() -> None:
    assert SAMPLES.keys() == READERS.built_in.keys()
    for name, reader in READERS.built_in.items():
        assert reader.name == name
        assert reader.description
        assert "\n" not in reader.description
        assert {"question"} <= reader.understands <= set(get_args(Content))


@pytest.mark.parametrize(("name", "paths"), EVERY, ids=IDS)
def test_a_reader_accounts_for_every_record(name: str, paths: Sequence[Path]) -> None:
    by_name = check_read(name, paths, format=name)
    assert any(isinstance(result, Case) for result in by_name)
    assert by_name == check_read(name, paths)
    rejected = [result for result in by_name if isinstance(result, RejectedRecord)]
    assert all(result.reason and result.remedy for result in rejected)


@pytest.mark.parametrize(("name", "paths"), EVERY, ids=IDS)
def test_a_reader_recognises_its_own_samples_only(name: str, paths: Sequence[Path]) -> None:
    for path in paths:
        record = first_record(path)
        assert recognise([record], options_of(name)) is READERS[name]


@pytest.mark.parametrize(("name", "paths"), EVERY, ids=IDS)
@pytest.mark.parametrize("seed", range(20))
def test_no_damage_ends_a_reader(name: str, paths: Sequence[Path], seed: int, tmp_path: Path) -> None:
    random, damaged = Random(seed), []
    for path in paths:
        lines = path.read_bytes().split(b"\n")
        for _ in range(6):
            place = random.randrange(min(1, len(lines) - 1), len(lines))
            start = random.randrange(len(lines[place]) + 1)
            lines[place] = (
                lines[place][:start]
                + random.randbytes(random.randrange(4)).replace(b"\n", b"")
                + lines[place][start + 3 :]
            )
        damaged.append(tmp_path / path.name)
        damaged[-1].write_bytes(b"\n".join(lines))
    for format_ in ("auto", name):
        results = check_read(name, damaged, format=format_)
        assert results
        rejected = [result for result in results if isinstance(result, RejectedRecord)]
        assert all(result.reason and result.remedy for result in rejected)


def test_an_unknown_format_is_refused_with_the_formats_that_there_are() -> None:
    with pytest.raises(ConfigError, match="unknown reader 'chatt'") as caught:
        read(LogsConfig(paths=("x",), format="chatt"))
    assert "mapped, chat" in caught.value.remedy


def add_readers(monkeypatch: pytest.MonkeyPatch, **entries: str) -> None:
    points = [EntryPoint(name, value, "curator.readers") for name, value in entries.items()]
    registry = Registry("reader", Reader, READERS.built_in, group="curator.readers", find=lambda _: points)
    monkeypatch.setattr(curator.readers, "READERS", registry)
    monkeypatch.setattr(curator.readers.read, "READERS", registry)


def documented_reader() -> Reader:
    """The reader of the example in the documentation of the registry."""
    code = (curator.readers.__doc__ or "").partition("\n    def parse")[2].partition("\n\n`logs.format`")[0]
    names: dict[str, Any] = {
        "LogRecord": LogRecord, "LogsConfig": LogsConfig, "Case": Case, "Message": Message, "case_id": case_id,
        "Reader": Reader,
    }  # fmt: skip
    exec(textwrap.dedent("    def parse" + code), names)  # noqa: S102
    reader: Reader = names["READER"]
    return reader


READER = documented_reader()
FAILING = Reader("failing", "Fails.", frozenset({"question"}), lambda record, _: record["not there"], READER.parse)  # type: ignore[arg-type,return-value]


def test_the_documented_reader_of_another_package_is_used_and_a_broken_one_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add_readers(monkeypatch, mine=f"{__name__}:READER", failing=f"{__name__}:FAILING", gone="no_such_package:READER")
    monkeypatch.setitem(
        __import__("sys").modules, __name__, __import__("types").SimpleNamespace(READER=READER, FAILING=FAILING)
    )
    log = tmp_path / "a.jsonl"
    log.write_text('{"asked": "Where?", "said": "Here."}\nbroken\n{"asked": "When?", "said": "Now."}\n')
    for format_ in ("auto", "mine"):
        everything = read(LogsConfig(format=format_), paths=[str(log), str(DATA / "chat.jsonl")])
        results = [result for result in everything if result.source.file == str(log)]
        assert [type(result) for result in results] == [Case, RejectedRecord, Case]
        first = results[0]
        assert isinstance(first, Case)
        assert (first.user, first.target) == ("Where?", "Here.")
    assert "the reader 'failing' cannot look at a record (KeyError" in caplog.text
    with pytest.raises(ConfigError, match="the reader 'gone' is broken: no_such_package:READER cannot be loaded"):
        read(LogsConfig(format="gone"), paths=[str(log)])
