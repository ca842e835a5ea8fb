"""Writes the run folder. Everything but `manifest.json` is a function of the logs, the config and the stored answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from curator.disagreement.diagnosis.diagnose import diagnose
from curator.io.atomic import json_lines, write_atomic
from curator.labels.queue import LABEL_QUEUES, csv_chunks, queue_rows
from curator.progress import Progress
from curator.records import Case, Diagnosis, JsonValue, Split
from curator.records.selections import category_names
from curator.report.html import render_html
from curator.report.markdown import render_markdown
from curator.report.summarise import summarise
from curator.report.summary import (
    FinetuneSummary,
    Summary,
    summary_json,
)
from curator.run_folder.cases import CaseRow
from curator.run_folder.design import Design, design_json, pool_hash
from curator.run_folder.layout import (
    CASES,
    DESIGN,
    LEAKS,
    MANIFEST,
    MERGED,
    RECORDED,
    REPORT_HTML,
    REPORT_MARKDOWN,
    SELECTION,
    SET_ASIDE,
    SUMMARY,
)
from curator.run_folder.leaks import leak_row
from curator.run_folder.recorded import RecordedRow
from curator.run_folder.selection import SelectionRow
from curator.run_folder.set_aside import _merged_row, set_aside_row
from curator.stages.artifacts import RunArtifacts, _labels
from curator.stages.manifest import _manifest, _sha256
from curator.stages.summarise import MOST_LEAKS, _leak, _records, _with_judge
from curator.text.display import plural


def write_run_folder(folder: Path, run: RunArtifacts, progress: Progress) -> Summary:
    """Write every file, each one atomically and the manifest last; returns what `summary.json` holds.

    Raises:
        StorageError: the disk is full or the folder cannot be written; files of an earlier run stay whole.
    """
    progress.start("write", total=None, unit="files")
    cases = {case.id: case for case in run.intake.cases}
    scores, categories = run.scored.scores, run.studied.categories
    diagnoses = {case_id: diagnose([found]) for case_id, found in run.scored.patterns.items()}
    split = run.guarded.split_of
    queue = list(
        queue_rows(
            run.picked.picks, cases=cases, scores=scores, answers_of=run.scored.answers.__getitem__, categories=categories,
            labelling=run.config.labelling, seed=run.config.seed,
        )
    )  # fmt: skip
    every = list(_cases(run, split, diagnoses))
    pool = pool_hash(every)
    rows: dict[str, Sequence[Mapping[str, JsonValue]]] = {
        SELECTION.name: [row.to_json() for row in _selection(run, cases, pool)],
        LABEL_QUEUES[1]: queue,
        RECORDED.name: [row.to_json() for row in _recorded(run)],
        CASES.name: [row.to_json() for row in every],
        MERGED.name: [_merged_row(merged) for merged in run.intake.merged],
        SET_ASIDE.name: [set_aside_row(u) for u in run.intake.unreadable],
        LEAKS.name: [leak_row(match, run.guarded.exported_before) for match in run.guarded.leaks],
    }
    exports = {export.file_name: export for export in run.exports.exports}
    counted = {name: len(content) for name, content in rows.items()}
    counted |= {name: len(export.rows) for name, export in exports.items()}
    counted[LABEL_QUEUES[0]] = len(queue)
    shown = tuple(_leak(match) for match in run.guarded.leaks[:MOST_LEAKS])
    training = run.exports.training
    finetuned = FinetuneSummary(len(training.examples), training.by_source, training.excluded, shown)
    summary = _with_judge(summarise(_records(run, finetuned, counted, diagnoses)), run.judged)

    files: dict[str, Iterable[bytes]] = {name: json_lines(content) for name, content in rows.items()}
    files |= {name: export.chunks() for name, export in exports.items()}
    files[LABEL_QUEUES[0]] = csv_chunks(queue)
    files[DESIGN.name] = [design_json(Design((run.picked.stage,), run.config.seed, pool))]
    files[REPORT_HTML.name] = [render_html(summary).encode()]
    files[REPORT_MARKDOWN.name] = [render_markdown(summary).encode()]
    files[SUMMARY.name] = [summary_json(summary)]
    for name, chunks in files.items():
        write_atomic(folder / name, chunks)
        progress.advance()
    manifest = _manifest(run, {name: _sha256(folder / name) for name in sorted(files)})
    write_atomic(MANIFEST.of(folder), [orjson.dumps(manifest, option=orjson.OPT_INDENT_2), b"\n"])
    progress.finish(f"{plural(len(files) + 1, 'file')} in {folder}")
    return summary


def _selection(run: RunArtifacts, cases: Mapping[str, Case], pool: str) -> Iterator[SelectionRow]:
    categories = category_names(run.studied.categories)
    for pick in run.picked.picks:
        case = cases[pick.case_id]
        yield SelectionRow.of(
            pick, case, run.scored.scores.get(case.id), category=categories.get(case.id), labels=_labels(run.config, case),
            seed=run.config.seed, pool_hash=pool,
        )  # fmt: skip


def _recorded(run: RunArtifacts) -> Iterator[RecordedRow]:
    """Yield the cases that were asked with their generations, in the form that `curator score` reads."""
    for case in run.intake.asked:
        yield RecordedRow(
            case=case,
            kind=run.scored.scores[case.id].kind,
            labels=_labels(run.config, case),
            generations=run.scored.compared[case.id],
            left_out=run.scored.left_out.get(case.id, ()),
            failed=[g.error for g in run.generations[case.id] if g.error is not None],
        )


def _cases(run: RunArtifacts, split: Callable[[str], Split], diagnoses: Mapping[str, Diagnosis]) -> Iterator[CaseRow]:
    """Yield the row of every kept case."""
    categories = category_names(run.studied.categories)
    slices = {pick.case_id: pick.slice for pick in run.picked.picks}
    for case in run.intake.cases:
        yield CaseRow.of(
            case, run.scored.scores.get(case.id), split=split(case.group), category=categories.get(case.id),
            slice=slices.get(case.id), diagnosis=diagnoses.get(case.id),
        )  # fmt: skip
