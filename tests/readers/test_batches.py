"""Reading in several processes gives the same as in one."""

import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

import curator.io.lines
import curator.readers.read
import curator.readers.rows
from curator.config import LogsConfig
from curator.config.redaction import PERSONAL_KINDS, RedactionConfig
from curator.executors.local import Workers
from curator.io.lines import LineBatch
from curator.readers.account import ReadAccount
from curator.readers.pieces import Reading
from curator.readers.read import read
from curator.records import Case, OtherRecord
from curator.redaction.redactor import Redacted, Redactor

DATA = Path(__file__).parents[1] / "data" / "logs"
KEY = "sk-proj-9fJ2kQ7xVb3LmN8tRw5YzA1c"


class Counted:
    """Redacts everything that can be found, by a fixed key."""

    redactor = Redactor(RedactionConfig(personal=PERSONAL_KINDS), b"a key of tests of thirty-two by.")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.originals: dict[str, str] = {}

    def counted(self, redacted: Redacted[Case]) -> Case:
        self.counts.update(redacted.counts)
        self.originals.update(redacted.originals)
        return redacted.value


def everything(paths: Sequence[Path], processes: int, **options: Any) -> tuple[list[Reading], ReadAccount, Counted]:
    redaction = Counted()
    config = LogsConfig.model_validate(options)
    reading = read(config, paths=[str(path) for path in paths], redaction=redaction, processes=processes)
    return list(reading), reading.account, redaction


def check_equal(paths: Sequence[Path], **options: Any) -> tuple[list[Reading], ReadAccount, Counted]:
    one, account, redaction = everything(paths, 1, **options)
    several = everything(paths, 2, **options)
    assert several[0] == one
    assert several[1] == account
    assert list(several[1].notes) == list(account.notes)
    assert (several[2].counts, several[2].originals) == (redaction.counts, redaction.originals)
    return one, account, redaction


def secret_log(path: Path) -> Path:
    rows = [
        {"messages": [{"role": "user", "content": f"{n}: mail ann{n}@example.org, key {KEY}"}], "response": "Done."}
        for n in range(40)
    ]
    rows += [{**rows[0], "feedback": {"score": n % 5, "comment": f"call +49 30 901820{n:02}"}} for n in range(20)]
    turns = [{"role": role, "content": f"{KEY} {i}"} for i, role in enumerate(("user", "assistant") * 3)]
    rows += [{"messages": turns[:end]} for end in (2, 4, 6)]
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows) + b'{"messages": [\n')
    return path


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is worth a process, and has several batches."""
    monkeypatch.setattr(curator.readers.read, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr(curator.io.lines, "BATCH_BYTES", 1500)

    def batches(pieces: Iterable[bytes], *, max_bytes: int) -> Iterator[LineBatch]:
        small = (piece[at : at + 700] for piece in pieces for at in range(0, len(piece), 700))
        return curator.io.lines.batches(small, max_bytes=max_bytes)

    monkeypatch.setattr(curator.readers.rows, "batches", batches)


@pytest.fixture
def pickled(monkeypatch: pytest.MonkeyPatch, small_batches: None) -> list[int]:
    """The work is pickled both ways, but done in this process."""
    batches: list[int] = []

    def through(_: Workers, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            work, copy = pickle.loads(pickle.dumps((function, item)))  # noqa: S301  our own
            batches.append(len(copy.data))
            yield pickle.loads(pickle.dumps(work(copy)))  # noqa: S301

    monkeypatch.setattr(Workers, "map_ordered", through)
    return batches


SAMPLES = sorted(DATA.glob("*.jsonl"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@pytest.mark.usefixtures("pickled")
def test_batches_of_a_file_give_what_the_file_gives(path: Path) -> None:
    check_equal([path])


def test_redaction_counts_and_pseudonyms_are_the_same(tmp_path: Path, pickled: list[int]) -> None:
    readings, account, redaction = check_equal([secret_log(tmp_path / "log.jsonl")])
    assert len(pickled) > 3
    assert account.rejected == 1
    assert redaction.counts["mail"] >= 40
    assert KEY not in repr(readings)
    assert any(isinstance(case, Case) and case.feedback and case.feedback.rating is not None for case in readings)
    check_equal([secret_log(tmp_path / "log.jsonl")], turns="last")


def test_a_misspelt_key_of_a_mapping_is_found_over_all_batches(tmp_path: Path, pickled: list[int]) -> None:
    path = tmp_path / "log.jsonl"
    rows = [{"question": f"Why {n}?", "answer": "So.", f"key{n}": n} for n in range(100)]
    rows[80]["modell"] = "m"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    mapping = {"input": "question", "target": "answer", "model": "model", "id": "key90"}
    _, account, _ = check_equal([path], mapping=mapping)
    assert len(pickled) > 1
    (absent,) = account.absent
    assert "'model'" in absent
    assert "'modell'" in absent


@pytest.mark.usefixtures("small_batches")
def test_worker_processes_give_what_one_process_gives(tmp_path: Path) -> None:
    readings, account, _ = check_equal([*SAMPLES, secret_log(tmp_path / "log.jsonl")])
    assert account.records == len({str(r.source) for r in readings if not (isinstance(r, Case) and r.further)})
    assert any(isinstance(reading, OtherRecord) for reading in readings)


def test_a_small_file_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workers, "map_ordered", None)
    assert everything([DATA / "chat.jsonl"], 2)[0]
