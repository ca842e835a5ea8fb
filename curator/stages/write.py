"""Stage results to the files of the run folder.

All files but `manifest.json` are a function of the logs, the config and the stored answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import orjson

from curator.disagreement.diagnosis.diagnose import diagnose
from curator.io.atomic import json_lines, write_atomic
from curator.labels import CSV, QueueRow, chosen_tools
from curator.labels.page import label_page
from curator.labels.queue import queue_rows
from curator.labels.queue_files import labelled_since_archived, write_queues
from curator.progress import Progress
from curator.records import Case, Diagnosis, JsonValue
from curator.records.selections import category_names
from curator.report.html import render_html
from curator.report.markdown import render_markdown
from curator.report.summary import Summary, summary_json
from curator.run_folder.cases import CaseRow
from curator.run_folder.categories import CategoryRow
from curator.run_folder.design import Design, pool_hash
from curator.run_folder.layout import (
    CASES,
    CATEGORIES,
    DESIGN,
    EVAL_SET_CHANGES,
    LABEL_PAGE,
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
from curator.run_folder.set_aside import duplicate_row, rejected_row
from curator.stages.artifacts import RunArtifacts
from curator.stages.carried_cases import carried_cases
from curator.stages.committee_advice import advise_on_run
from curator.stages.manifest import file_sha256, manifest_json
from curator.stages.summarise import categories_of, summarise

JsonRow = Mapping[str, JsonValue]


def write_run_folder(folder: Path, run: RunArtifacts, progress: Progress) -> Summary:
    """Write every file atomically, the manifest last; return the content of `summary.json`.

    Raises:
        StorageError: the disk is full or the folder cannot be written; files of an earlier run stay whole.
    """
    progress.start("write", total=None, unit="files")
    diagnoses = {case_id: diagnose([pattern]) for case_id, pattern in run.scoring.patterns.items()}
    cases = list(_case_rows(run, diagnoses))
    pool = pool_hash(cases)
    every = _label_queue(run)
    meanwhile = labelled_since_archived(folder, every)
    queue = [row for row in every if row.case_id not in meanwhile]
    queues = write_queues(folder, queue, chosen_tools(run.config.labelling.tools))
    progress.advance(len(queues))
    rows = _rows_by_file(run, cases, pool)
    exports = {export.file_name: export for export in run.exports.exports}
    outputs = {
        CATEGORIES.name: len(categories_of(run)),
        **{name: len(content) for name, content in rows.items()},
        **{name: len(export.rows) for name, export in exports.items()},
        **{name: len(queue) for name in queues.values()},
    }
    summary = summarise(run, diagnoses, outputs)
    costs = ((member.model, member.cost_usd, member.generations) for member in summary.committee.members)
    summary = replace(summary, committee_advice=advise_on_run(rows[RECORDED.name], costs))
    files: dict[str, Iterable[bytes]] = {
        **{name: json_lines(content) for name, content in rows.items()},
        CATEGORIES.name: json_lines(_category_rows(run, summary)),
        **{name: export.chunks() for name, export in exports.items()},
        DESIGN.name: [Design(run.selection.stages, run.config.seed, pool).to_bytes()],
        REPORT_HTML.name: [render_html(summary, carried_cases(run, diagnoses, queue, queues.get(CSV.name))).encode()],
        LABEL_PAGE.name: [label_page(queue, (c.name for c in summary.categories)).encode()],
        REPORT_MARKDOWN.name: [render_markdown(summary).encode()],
        SUMMARY.name: [summary_json(summary)],
    }
    if run.sampling.stopped is None:
        # After the eval set: a case that is in the set and not yet among its changes is one that the next run adds to them.
        files[EVAL_SET_CHANGES.name] = json_lines(change.to_json() for change in run.exports.eval_round.changes)
    for name, chunks in files.items():
        write_atomic(folder / name, chunks)
        progress.advance()
    written = sorted((*files, *queues.values()))
    manifest = manifest_json(run, {name: file_sha256(folder / name) for name in written})
    write_atomic(MANIFEST.of(folder), [orjson.dumps(manifest, option=orjson.OPT_INDENT_2), b"\n"])
    progress.advance()
    progress.finish(f"{len(written) + 1} files in {folder}")
    return summary


def _rows_by_file(run: RunArtifacts, cases: Iterable[CaseRow], pool: str) -> dict[str, Sequence[JsonRow]]:
    """Return the rows of the JSONL files that curator writes for itself."""
    return {
        SELECTION.name: [row.to_json() for row in _selection_rows(run, pool)],
        RECORDED.name: [row.to_json() for row in _recorded_rows(run)],
        CASES.name: [row.to_json() for row in cases],
        MERGED.name: [duplicate_row(duplicate) for duplicate in run.ingest.merged],
        SET_ASIDE.name: [rejected_row(record) for record in run.ingest.unreadable],
        LEAKS.name: [leak_row(match, run.holdout.exported_before, run.holdout.held_by) for match in run.holdout.leaks],
    }


def _category_rows(run: RunArtifacts, summary: Summary) -> Iterator[JsonRow]:
    """Yield the rows of the categories, in the order of the summary."""
    case_ids = {category.id: category.case_ids for category in categories_of(run)}
    for category in summary.categories:
        yield CategoryRow.of(category, case_ids[category.id]).to_json()


def _label_queue(run: RunArtifacts) -> list[QueueRow]:
    return list(
        queue_rows(
            run.selection.picks,
            cases={case.id: case for case in run.ingest.cases},
            scores=run.scoring.scores,
            answers_of=run.scoring.answers.__getitem__,
            labels_of=partial(_allowed_labels, run),
            categories=categories_of(run),
            labelling=run.config.labelling,
            seed=run.config.seed,
            unsure=run.ingest.unsure,
        )
    )


def _selection_rows(run: RunArtifacts, pool: str) -> Iterator[SelectionRow]:
    cases = {case.id: case for case in run.ingest.cases}
    categories = category_names(categories_of(run))
    earlier, chosen = run.selection.earlier, {pick.case_id for pick in run.selection.picks}
    before = [
        replace(pick, split=run.holdout.split_of(cases[pick.case_id].group))
        for pick in earlier.picks
        if pick.case_id not in chosen
    ]
    for pick in (*run.selection.picks, *before):
        case = cases[pick.case_id]
        row = SelectionRow.of(
            pick,
            case,
            run.scoring.scores.get(case.id),
            category=categories.get(case.id),
            labels=_allowed_labels(run, case),
            seed=run.config.seed,
            pool_hash=pool,
        )
        yield replace(row, failure=earlier.labels.get(case.id)) if case.needs_label else row


def _recorded_rows(run: RunArtifacts) -> Iterator[RecordedRow]:
    """Yield the asked cases with their generations, as `curator score` reads them."""
    for case in run.ingest.asked:
        yield RecordedRow(
            case=case,
            kind=run.scoring.scores[case.id].kind,
            labels=_allowed_labels(run, case),
            generations=run.scoring.compared[case.id],
            left_out=run.scoring.left_out.get(case.id, ()),
            failed=[g.error for g in run.sampling.generations[case.id] if g.error is not None],
        )


def _case_rows(run: RunArtifacts, diagnoses: Mapping[str, Diagnosis]) -> Iterator[CaseRow]:
    """Yield the row of every kept case."""
    categories = category_names(categories_of(run))
    slices = {pick.case_id: pick.slice for pick in run.selection.picks}
    for case in run.ingest.cases:
        yield CaseRow.of(
            case,
            run.scoring.scores.get(case.id),
            split=run.holdout.split_of(case.group),
            category=categories.get(case.id),
            slice=slices.get(case.id),
            diagnosis=diagnoses.get(case.id),
        )


def _allowed_labels(run: RunArtifacts, case: Case) -> tuple[str, ...]:
    tasks = run.config.tasks
    return tasks[case.task].labels if case.task in tasks else ()
