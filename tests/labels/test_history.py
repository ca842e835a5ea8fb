"""Labels that come back in parts, in any order, and again: none is lost, none doubled, and conflicts keep their authors."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.labels import CSV, JSONL, XLSX
from curator.labels.archive import archive_file, archive_labels, archived_labels, labels_in
from curator.labels.history import lineage, standing
from curator.labels.merge import merge_rows
from curator.labels.queue import QueueRow
from curator.labels.read import read_imports, read_labels
from curator.records import Label, Source
from tests.labels.queues import HOSTILE, rows_of


def row(file: str, case_id: str = "c", **fields: Any) -> Label:
    return Label(case_id, Source(file, 1), **fields)


def merged(*imports: list[Label]) -> Mapping[str, Label]:
    return merge_rows(standing(imports)).labels


def test_people_of_different_files_stand_side_by_side_in_either_order() -> None:
    ana, ben = row("ana.csv", failure=0.0, by="ana", note="fine"), row("ben.csv", failure=1.0, by="ben", note="old")
    for imports in ([ana], [ben]), ([ben], [ana]):
        label = merged(*imports)["c"]
        assert (label.failure, label.by, label.note) == (0.5, "ana", "ana: fine\nben: old")


def test_a_correction_of_the_verdict_keeps_the_remarks_and_the_time_it_took() -> None:
    first = row("a.csv", failure=0.0, by="ana", category="refunds", note="see order 7", seconds=12.5)
    label = merged([first], [row("b.csv", failure=1.0, by="ana")])["c"]
    assert (label.failure, label.category, label.note, label.seconds) == (1.0, "refunds", "see order 7", 12.5)


def test_a_correction_without_a_name_is_of_all_people_before() -> None:
    people = [row("q.csv", failure=0.0, by="ana"), row("q.csv", failure=1.0, by="ben")]
    assert merged(people, [row("fix.csv", failure=1.0)])["c"].failure == 1.0
    assert merged([row("fix.csv", failure=1.0)], [people[0]])["c"].failure == 0.0


def test_a_file_that_is_saved_again_takes_no_correction_back() -> None:
    first, correction = (
        row("r/labels/0001.csv", failure=0.0, by="ana"),
        row("r/labels/0002.done.jsonl", failure=1.0, by="ana"),
    )
    again, changed = row("r/label_queue.csv", failure=0.0, by="ana"), row("r/label_queue.csv", failure=0.25, by="ana")
    assert merged([first], [correction], [again])["c"].failure == 1.0
    assert merged([first], [correction], [changed])["c"].failure == 0.25
    assert merged([first], [row("r/labels/0002.csv", failure=1.0, by="ana")], [again])["c"].failure == 0.0


def test_the_time_of_a_label_counts_before_the_order_of_the_files() -> None:
    early, late = "2026-11-30T10:00:00.000000+00:00", "2026-11-30T11:00:00.000000+00:00"
    old, new = row("a.jsonl", failure=0.0, by="ana", at=early), row("b.jsonl", failure=1.0, by="ana", at=late)
    assert (
        merged([new], [old])["c"].failure == merged([old], [new])["c"].failure == merged([new, old])["c"].failure == 1.0
    )


def test_unsure_replaces_no_verdict_and_its_note_is_kept() -> None:
    label = merged([row("a.csv", failure=1.0, note="wrong year")], [row("b.csv", note="or is it?")])["c"]
    assert (label.failure, label.note) == (1.0, "or is it?")


def test_a_conflict_is_kept_with_its_authors_and_not_used() -> None:
    rows = [row("a.csv", text="red", by="ana"), row("b.csv", text="blue", by="ben"), row("c.csv", "d", failure=1.0, by="eve"),
            row("c.csv", "d", failure=0.0, by="eve")]  # fmt: skip
    found = merge_rows(standing([rows]))
    assert found.labels == {}
    assert [(d.case_id, d.field, [(r.by, r.text, r.failure) for r in d.rows]) for d in found.disputes] == [
        ("c", "label", [("ana", "red", None), ("ben", "blue", None)]),
        ("d", "verdict", [("eve", None, 1.0), ("eve", None, 0.0)]),
    ]  # fmt: skip
    assert "'ben' wrote 'blue', 'ana' 'red'" in found.rejected[0].reason
    agreed = standing([rows, [row("b.csv", text="red", by="ben"), row("c.csv", "d", failure=1.0, by="eve")]])
    assert merge_rows(agreed).texts == {"c": "red"}
    assert merge_rows(agreed).failures == {"d": 1.0}


def test_the_versions_of_a_queue_share_a_lineage() -> None:
    assert lineage("r/labels/0001.csv") == lineage("r/labels/10002.csv") == lineage("r/label_queue.csv")
    assert (
        len({lineage(f"r/{name}") for name in ("label_queue.csv", "label_queue_2.csv", "labels/0003.done.jsonl")}) == 3
    )
    assert lineage("2025_a.csv") != lineage("2026_a.csv")


def test_copies_in_an_archive_are_read_one_after_another_and_before_the_rest(tmp_path: Path) -> None:
    for name, verdict in (("labels/0002.csv", "fail"), ("labels/0001.csv", "pass"), ("label_queue_2.csv", "")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"case_id,verdict,labelled_by\nc1,{verdict},ana\n")
    found = read_labels([str(tmp_path / "label_queue_2.csv"), str(tmp_path / "labels" / "*")])
    assert (found.failures, found.rejected) == ({"c1": 1}, ())


def test_a_rejected_row_that_was_mended_is_not_named_again(tmp_path: Path) -> None:
    queue = tmp_path / "label_queue.csv"
    for verdict in ("perhaps", "pass"):
        queue.write_text(f"case_id,verdict\nc1,{verdict}\n")
        archive_labels(tmp_path)
    found = read_imports([path] for path in archived_labels(tmp_path))
    assert (found.failures, found.rejected) == ({"c1": 0}, ())


def test_what_the_label_page_saved_is_found_and_archived(tmp_path: Path) -> None:
    (tmp_path / "label_queue.done.jsonl").write_text('{"case_id": "c1", "verdict": "fail", "note": "no"}\n')
    (tmp_path / "label_queue.done (1).jsonl").write_text('{"case_id": "c2", "verdict": "pass"}\n')
    assert labels_in(tmp_path).failures == {"c1": 1, "c2": 0}
    archived = archive_labels(tmp_path)
    assert [path.name for path in archived] == ["0001.done.jsonl", "0002.done (1).jsonl"]
    assert read_imports([path] for path in archived_labels(tmp_path)).labels["c1"].note == "no"
    (tmp_path / "ana.csv").write_text("case_id,verdict\nc1,pass\n")
    kept = archive_file(tmp_path / "ana.csv", tmp_path)
    assert kept == tmp_path / "labels" / "0003.ana.csv"
    assert archive_file(tmp_path / "ana.csv", tmp_path) is None
    assert labels_in(tmp_path).failures == {"c1": 0, "c2": 0}


NAMES = st.sampled_from(["ana", "ben", "eve"])
FILLED = st.fixed_dictionaries({
    "verdict": st.sampled_from(["", "pass", "fail", "unsure", "0.5"]),
    "label": st.sampled_from(["", "red", "=1+1", "00123", "two\nlines"]),
    "note": st.sampled_from(["", "3-4", "so; so"]),
    "corrected_category": st.sampled_from(["", "prices"]),
})  # fmt: skip
JUDGEMENTS = st.dictionaries(st.tuples(st.sampled_from([f"c{n}" for n in range(6)]), NAMES), FILLED, max_size=12)
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def part(judgements: Mapping[tuple[str, str], Mapping[str, str]]) -> bytes:
    """A queue with the rows of these people, filled in."""
    table = list(csv.DictReader(io.StringIO(b"".join(CSV.write(rows_of("abcdef"))).decode("utf-8-sig"), newline="")))
    by_id = {line["case_id"]: line for line in table}
    out = io.StringIO()
    writer = csv.DictWriter(out, table[0])
    writer.writeheader()
    writer.writerows(by_id[case] | {**filled, "labelled_by": name} for (case, name), filled in judgements.items())
    return out.getvalue().encode()


def said(labels: Mapping[str, Label]) -> dict[str, tuple[object, ...]]:
    return {
        case: (x.failure, x.text, x.by, x.note, x.category, x.slice, x.probability, x.unsure)
        for case, x in labels.items()
    }


@QUIET
@given(judgements=JUDGEMENTS, data=st.data())
def test_partial_imports_in_any_order_give_the_same_labels(
    judgements: dict[tuple[str, str], dict[str, str]], data: st.DataObject, tmp_path: Path
) -> None:
    keys = sorted(judgements)
    parts: list[list[tuple[str, str]]] = [[], [], []]
    for key in keys:
        parts[data.draw(st.integers(0, 2))].append(key)
    paths = []
    for number, of_part in enumerate(parts):
        path = tmp_path / f"part{number}.csv"
        path.write_bytes(part({key: judgements[key] for key in of_part}))
        paths.append(str(path))
    whole = tmp_path / "whole.csv"
    whole.write_bytes(part(judgements))
    expected = read_labels([str(whole)])
    order = data.draw(st.permutations(paths))
    for found in (read_imports([path] for path in order), read_labels(order)):
        assert said(found.labels) == said(expected.labels)
        assert {(d.case_id, d.field, frozenset((r.by, r.text) for r in d.rows)) for d in found.disputes} == {
            (d.case_id, d.field, frozenset((r.by, r.text) for r in d.rows)) for d in expected.disputes
        }


@given(texts=st.lists(st.text(max_size=30) | st.sampled_from(HOSTILE), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_a_queue_that_is_read_and_written_again_is_the_same_to_the_byte(texts: list[str]) -> None:
    rows = [replace(row, note=row.target or "", verdict="unsure", labels=("a", "=b")) for row in rows_of(texts)]
    back = [QueueRow.from_json(orjson.loads(line)) for line in b"".join(JSONL.write(rows)).splitlines()]
    for tool in (CSV, XLSX, JSONL):
        assert b"".join(tool.write(back)) == b"".join(tool.write(rows))
