"""A queue that goes through a spreadsheet comes back whole, or is refused with the reason: never a part of it in silence."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from curator.labels import CSV, XLSX
from curator.labels.damage import restored_id, ungarbled
from curator.labels.guard import guarded
from curator.labels.merge import LabelSet
from curator.labels.queue import QueueRow
from curator.labels.read import read_labels
from curator.records import fingerprint
from tests.labels.queues import HOSTILE, rows_of
from tests.labels.test_tools import fill_csv, fill_xlsx

IDS = ("00123", "1E5", "3-4", "2026-03-04", "12345678901234567", "TRUE", "=1+1", "-5", "Mar-4", "c1", "10:30", "50%", "+49", "@x",
       "0.10", "1,5")  # fmt: skip
VERDICTS = ("pass", "fail", "unsure", "0.5")
TYPED = tuple(text.replace("\r\n", "\n") for text in HOSTILE)
"""What a person may type: one kind of line break, and at most as much as a cell holds."""


def queue() -> list[QueueRow]:
    """Cases whose ids and texts are what spreadsheets change."""
    rows = [replace(row, case_id=case_id) for row, case_id in zip(rows_of(HOSTILE), IDS, strict=True)]
    return [replace(row, content_hash=fingerprint(row.case_id, row.input)) for row in rows]


def answers() -> dict[str, dict[str, str]]:
    return {
        case_id: {"verdict": VERDICTS[n % 4], "label": text[:32_000], "note": f"3-{n}", "labelled_by": "ana"}
        for n, (case_id, text) in enumerate(zip(IDS, TYPED, strict=True))
    }


def filled_csv() -> bytes:
    """The CSV as a program would fill it in that keeps the guards and the byte-order mark."""
    filled = {guarded(i): {k: guarded(text) for k, text in row.items()} for i, row in answers().items()}
    return "\ufeff".encode() + fill_csv(b"".join(CSV.write(queue())), filled)


def filled_xlsx() -> bytes:
    return fill_xlsx(b"".join(XLSX.write(queue())), answers())


def everything_is_back(found: LabelSet) -> bool:
    expected = answers()
    assert found.rejected == ()
    assert found.labels.keys() == expected.keys()
    for case_id, label in found.labels.items():
        typed = expected[case_id]
        failure = {"pass": 0.0, "fail": 1.0, "unsure": None, "0.5": 0.5}[typed["verdict"]]
        assert (label.failure, label.text, label.note, label.by) == (failure, typed["label"], typed["note"], "ana")
        assert (label.slice, label.probability) == ("random", 0.25)
    return True


SOFFICE = shutil.which("soffice")
FORMS = {"csv": "csv:Text - txt - csv (StarCalc):44,34,76", "semicolons": "csv:Text - txt - csv (StarCalc):59,34,76",
         "tabs": "csv:Text - txt - csv (StarCalc):9,34,76", "utf-16": "csv:Text - txt - csv (StarCalc):9,34,65535",
         "xlsx": "xlsx", "ods": "ods"}  # fmt: skip


def through_libreoffice(path: Path, form: str, folder: Path, opened_as: int = 76) -> Path:
    assert SOFFICE is not None
    out = folder / form
    delimiter = {"semicolons": 59, "tabs": 9, "utf-16": 9}.get(path.parent.name, 44)
    encoding = 65535 if path.parent.name == "utf-16" else opened_as  # what a person chooses in the dialog
    dialog = [f"--infilter=Text - txt - csv (StarCalc):{delimiter},34,{encoding}"] if path.suffix == ".csv" else []
    command = [SOFFICE, "--headless", "--norestore", f"-env:UserInstallation={(folder / 'profile').as_uri()}",
               *dialog,
               "--convert-to", FORMS[form], "--outdir", str(out), str(path)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (saved,) = out.iterdir()
    return saved


@pytest.mark.slow
@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed (apt-get install libreoffice-calc-nogui)")
@pytest.mark.parametrize("made", ["csv", "xlsx"])
@pytest.mark.parametrize("form", ["csv", "semicolons", "tabs", "utf-16", "xlsx"])
def test_all_labels_come_back_through_libreoffice(tmp_path: Path, made: str, form: str) -> None:
    path = tmp_path / f"label_queue.{made}"
    path.write_bytes(filled_csv() if made == "csv" else filled_xlsx())
    saved = through_libreoffice(path, form, tmp_path)
    assert everything_is_back(read_labels([str(saved)]))
    if made == "csv" or form == "xlsx":  # the guards, or the types, last for another round
        again = through_libreoffice(saved, "xlsx", tmp_path / "again")
        assert everything_is_back(read_labels([str(again)]))


@pytest.mark.slow
@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed (apt-get install libreoffice-calc-nogui)")
def test_a_table_that_libreoffice_opened_as_windows_1252_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "label_queue.csv"
    path.write_bytes(filled_csv())
    saved = through_libreoffice(path, "csv", tmp_path, opened_as=1)
    assert "na\u00c3\u00afve" in saved.read_text(encoding="utf-8")
    assert everything_is_back(read_labels([str(saved)]))


@pytest.mark.slow
@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed (apt-get install libreoffice-calc-nogui)")
def test_a_format_that_is_not_read_is_refused_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "label_queue.xlsx"
    path.write_bytes(filled_xlsx())
    found = read_labels([str(through_libreoffice(path, "ods", tmp_path))])
    assert found.labels == {}
    assert "save it as .xlsx or CSV" in found.rejected[0].remedy


def as_excel(data: bytes, *, delimiter: str = ",", encoding: str = "utf-8-sig", block: int = 16) -> bytes:
    """Save a table as Excel does: without the empty last cells that no row of a block of 16 fills."""
    table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    out = io.StringIO(newline="")
    for start in range(0, len(table), block):
        rows = table[start : start + block]
        width = max(max((n for n, cell in enumerate(row, 1) if cell), default=0) for row in rows)
        csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(row[:width] for row in rows)
    return out.getvalue().encode(encoding, errors="replace")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "utf-16"])
@pytest.mark.parametrize("block", [1, 16])
def test_all_labels_come_back_from_a_table_that_excel_saved(
    tmp_path: Path, delimiter: str, encoding: str, block: int
) -> None:
    path = tmp_path / "label_queue.csv"
    path.write_bytes(as_excel(filled_csv(), delimiter=delimiter, encoding=encoding, block=block))
    assert everything_is_back(read_labels([str(path)]))


def earlier_layout(labelled: Mapping[int, str]) -> bytes:
    """Forty rows of a queue of an earlier version, whose cells to fill in came last."""
    header = ("batch", "case_id", "content_hash", "split", "slice", "inclusion_probability", "task", "kind", "input", "target",
              "committee_majority", "agreement", "disagreement", "alternatives", "category", "verdict", "label", "labelled_by")  # fmt: skip
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    for n in range(40):
        shown = f"[user]\nQuestion {n}, please"
        writer.writerow([1, f"c{n}", fingerprint(f"c{n}", shown), "eval", "random", 0.5, "", "text", shown, "So; it is.", "", "", "", "",
                         "", labelled.get(n, ""), "", ""])  # fmt: skip
    return out.getvalue().encode()


@pytest.mark.parametrize("block", [1, 16])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_no_row_is_dropped_for_its_missing_last_cells(
    tmp_path: Path, block: int, encoding: str, delimiter: str
) -> None:
    """Of forty labels 25 once went, with the rows that Excel had made shorter than the header."""
    labelled = {n: "fail" if n % 3 else "pass" for n in range(40)}
    partly = {n: verdict for n, verdict in labelled.items() if n >= 25}
    for expected in (labelled, partly):
        path = tmp_path / "label_queue.csv"
        path.write_bytes(as_excel(earlier_layout(expected), delimiter=delimiter, encoding=encoding, block=block))
        found = read_labels([str(path)])
        assert (len(found.failures), found.rejected) == (len(expected), ())


@pytest.mark.parametrize("read_as", ["cp1252", "latin-1"])
def test_labels_of_a_file_that_was_opened_in_the_wrong_encoding_are_mended(tmp_path: Path, read_as: str) -> None:
    rows = rows_of(["Où est-il ?", "naïve Größe", "plain"])
    data = fill_csv(
        b"".join(CSV.write(rows)), {"c0": {"label": "à Orléans"}, "c2": {"label": "Zoë", "verdict": "fail"}}
    )
    path = tmp_path / "label_queue.csv"
    path.write_bytes(data.decode(read_as).encode())
    found = read_labels([str(path)])
    assert (found.texts, found.rejected) == ({"c0": "à Orléans", "c2": "Zoë"}, ())
    assert ungarbled("naïve") == "naïve"


def test_an_id_that_lost_its_zeros_gets_them_back_only_where_the_fingerprint_proves_it(tmp_path: Path) -> None:
    mark = fingerprint("00123", "[user]\nWhere?")
    for changed in ("123", "0123", "123.0"):
        (tmp_path / "a.csv").write_text(f"case_id,content_hash,question,verdict\n{changed},{mark},Where?,fail\n")
        assert read_labels([str(tmp_path / "a.csv")]).failures == {"00123": 1}
    assert restored_id("124", mark) == "124"
    (tmp_path / "a.csv").write_text(f"case_id,content_hash,question,verdict\n1.00E+05,{mark},Where?,fail\n")
    (rejected,) = read_labels([str(tmp_path / "a.csv")]).rejected
    assert "or the id was changed" in rejected.reason


def test_a_sheet_cut_short_in_a_row_names_the_row(tmp_path: Path) -> None:
    data = filled_csv()
    path = tmp_path / "label_queue.csv"
    path.write_bytes(data[: data.rindex(b"random") - 60])
    found = read_labels([str(path)])
    assert len(found.labels) + len({row.source.line for row in found.rejected}) == len(IDS)
