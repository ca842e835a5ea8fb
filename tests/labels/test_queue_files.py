"""A queue in which a person works is never written over, and nothing that was filled in is lost, whatever the order."""

from __future__ import annotations

import random
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

import curator.labels.read
from curator.labels import ALWAYS, CSV, XLSX
from curator.labels.archive import archived_labels, labels_in, unreadable_queues
from curator.labels.queue import QueueRow
from curator.labels.queue_files import (
    current_queue,
    is_worked_in,
    labelled_in_work,
    labelled_since_archived,
    worked_in,
    write_queues,
)
from curator.labels.queue_hashes import HASHES, remember_as_written
from curator.labels.read import read_imports, read_labels
from tests.labels.queues import rows_of
from tests.labels.test_tools import fill_csv, fill_xlsx


def fill(path: Path, *case_ids: str, verdict: str = "fail") -> bytes:
    filler = fill_xlsx if path.suffix == ".xlsx" else fill_csv
    path.write_bytes(filler(path.read_bytes(), {case: {"verdict": verdict} for case in case_ids}))
    return path.read_bytes()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("label_queue*"))


def test_an_untouched_queue_is_written_over(tmp_path: Path) -> None:
    write_queues(tmp_path, rows_of("abc"), ALWAYS)
    written = write_queues(tmp_path, rows_of("ab"), ALWAYS)
    assert written == {"csv": "label_queue.csv", "xlsx": "label_queue.xlsx", "jsonl": "label_queue.jsonl"}
    assert names(tmp_path) == sorted(written.values())
    assert worked_in(tmp_path) == []


def test_queues_that_are_as_they_were_written_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_queues(tmp_path, rows_of("abc"), ALWAYS)
    monkeypatch.setattr(curator.labels.read, "read_label_file", pytest.fail)
    assert unreadable_queues(tmp_path) == []
    assert labelled_since_archived(tmp_path) == labelled_in_work(tmp_path) == set()
    write_queues(tmp_path, rows_of("ab"), ALWAYS)


def test_a_numbered_queue_in_work_stays_beside_the_first_one(tmp_path: Path) -> None:
    write_queues(tmp_path, rows_of("abc"), [CSV])
    second = tmp_path / "label_queue_2.csv"
    second.write_bytes((tmp_path / "label_queue.csv").read_bytes())
    content = fill(second, "c0")
    assert write_queues(tmp_path, rows_of("ab"), [CSV]) == {"csv": "label_queue.csv"}
    assert second.read_bytes() == content


@pytest.mark.parametrize("lock", [".~lock.label_queue.xlsx#", "~$label_queue.xlsx"])
def test_a_queue_that_a_program_has_open_stays(tmp_path: Path, lock: str) -> None:
    write_queues(tmp_path, rows_of("abc"), ALWAYS)
    (tmp_path / lock).write_text("ana")
    before = (tmp_path / "label_queue.xlsx").read_bytes()
    written = write_queues(tmp_path, rows_of("ab"), ALWAYS)
    assert written["xlsx"] == "label_queue_2.xlsx"
    assert (tmp_path / "label_queue.xlsx").read_bytes() == before
    assert current_queue(tmp_path, XLSX) == tmp_path / "label_queue_2.xlsx"
    (tmp_path / lock).unlink()
    write_queues(tmp_path, rows_of("ab"), ALWAYS)
    assert "label_queue_2.xlsx" not in names(tmp_path)
    assert current_queue(tmp_path, XLSX) == tmp_path / "label_queue.xlsx"


def test_a_changed_queue_stays_and_the_next_nights_write_one_beside_it(tmp_path: Path) -> None:
    write_queues(tmp_path, rows_of("abc"), [CSV])
    filled = fill(tmp_path / "label_queue.csv", "c1")
    for _ in range(3):
        assert write_queues(tmp_path, rows_of("ab"), [CSV]) == {"csv": "label_queue_2.csv"}
    assert (tmp_path / "label_queue.csv").read_bytes() == filled
    fill(tmp_path / "label_queue_2.csv", "c0", verdict="pass")
    assert write_queues(tmp_path, rows_of("ab"), [CSV]) == {"csv": "label_queue_3.csv"}
    assert labels_in(tmp_path).failures == {"c1": 1, "c0": 0}
    assert labelled_in_work(tmp_path) == {"c0", "c1"}
    assert labelled_in_work(tmp_path, rows_of("ax")) == {"c0"}  # c1 has another answer now
    assert len(archived_labels(tmp_path)) == 2


def test_a_queue_that_was_saved_without_a_label_counts_as_worked_in(tmp_path: Path) -> None:
    write_queues(tmp_path, rows_of("abc"), [CSV])
    fill(tmp_path / "label_queue.csv")
    assert is_worked_in(tmp_path / "label_queue.csv")
    remember_as_written(tmp_path / "label_queue.csv")
    assert not is_worked_in(tmp_path / "label_queue.csv")


def test_no_queue_is_written_beside_one_that_leaves_nothing_to_label(tmp_path: Path) -> None:
    write_queues(tmp_path, rows_of("a"), [CSV, XLSX])
    fill(tmp_path / "label_queue.csv", "c0")
    assert write_queues(tmp_path, [], [CSV, XLSX]) == {"xlsx": "label_queue.xlsx"}


def test_what_is_labelled_while_a_run_goes_on_is_archived_and_named(tmp_path: Path) -> None:
    write_queues(tmp_path, rows_of("abc"), [CSV])
    fill(tmp_path / "label_queue.csv", "c1")
    assert labelled_since_archived(tmp_path, rows_of("ab")) == {"c1"}
    assert labelled_since_archived(tmp_path, rows_of("ax")) == set()  # c1 has another answer now
    write_queues(tmp_path, rows_of("ab"), [CSV])
    assert labelled_since_archived(tmp_path) == set()
    fill(tmp_path / "label_queue.csv", "c1", "c2")
    assert labelled_since_archived(tmp_path) == {"c2"}


def test_a_queue_of_an_earlier_version_is_kept_where_it_is_filled_in(tmp_path: Path) -> None:
    write_queues(tmp_path, rows_of("abc"), [CSV])
    (tmp_path / HASHES).unlink()
    assert write_queues(tmp_path, rows_of("ab"), [CSV]) == {"csv": "label_queue.csv"}
    (tmp_path / HASHES).write_text("[broken")
    fill(tmp_path / "label_queue.csv", "c0")
    assert write_queues(tmp_path, rows_of("ab"), [CSV]) == {"csv": "label_queue_2.csv"}


def test_a_queue_of_a_run_that_was_killed_while_it_wrote_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_queues(tmp_path, rows_of("abc"), [CSV])

    def killed(*_: object) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_queues(tmp_path, rows_of("ab"), [CSV, XLSX.__class__("x", "x", ".x", killed, XLSX.read)])
    assert write_queues(tmp_path, rows_of("a"), [CSV]) == {"csv": "label_queue.csv"}


def test_a_file_that_cannot_be_read_is_left_alone_and_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "label_queue.ods", "w") as sheet:
        sheet.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    (tmp_path / "label_queue_notes.txt").write_text("call ana\nabout batch 2\n")
    write_queues(tmp_path, rows_of("abc"), ALWAYS)
    refused = unreadable_queues(tmp_path)
    assert {Path(row.source.file).name for row in refused} == {"label_queue_notes.txt", "label_queue.ods"}
    assert any("save it as .xlsx or CSV" in row.remedy for row in refused)
    assert archived_labels(tmp_path) == []


@pytest.mark.parametrize("seed", range(6))
def test_nothing_filled_in_is_lost_in_any_order_of_saves_and_nights(tmp_path: Path, seed: int) -> None:
    """People save old windows over new files, nights come between: all that was ever saved counts."""
    draw = random.Random(seed)
    cases = [f"c{n}" for n in range(6)]
    write_queues(tmp_path, rows_of("abcdef"), [CSV])
    open_window = (tmp_path / "label_queue.csv").read_bytes()
    labelled: set[str] = set()
    for _ in range(12):
        if draw.random() < 0.5:
            write_queues(tmp_path, [row for row in rows_of("abcdef") if row.case_id not in labelled], [CSV])
            continue
        path = draw.choice([tmp_path / name for name in names(tmp_path)])
        if draw.random() < 0.3:
            path = tmp_path / "label_queue.csv"
            path.write_bytes(open_window)
        chosen = draw.choice(cases)
        fill(path, chosen)
        if chosen in {row.case_id for row in _rows(path)}:
            labelled.add(chosen)
        if path.name == "label_queue.csv":
            open_window = path.read_bytes()
        archived = read_imports(
            [*([p] for p in archived_labels(tmp_path)), [str(p) for p in tmp_path.glob("label_queue*")]]
        )
        assert set(archived.failures) >= set(read_labels([str(path)]).failures)
    write_queues(tmp_path, rows_of(""), [CSV])
    assert set(labels_in(tmp_path).failures) == labelled


def _rows(path: Path) -> list[QueueRow]:
    ids = path.read_text(encoding="utf-8-sig")
    return [row for row in rows_of("abcdef") if row.case_id in ids]


def test_a_queue_that_nobody_changed_is_not_archived_for_its_marks(tmp_path: Path) -> None:
    write_queues(tmp_path, [replace(row, verdict="unsure", annotator="ana") for row in rows_of("ab")], ALWAYS)
    write_queues(tmp_path, rows_of("ab"), ALWAYS)
    assert archived_labels(tmp_path) == []
