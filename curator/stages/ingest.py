"""Logs to cases: read, deduplicate, label, and take the subset that is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from curator.answers.read import read_answer
from curator.config import Config, TaskConfig
from curator.config.logs import kind_of
from curator.dedup import DedupeResult, deduplicate
from curator.errors import LogsError
from curator.io.atomic import json_lines, write_atomic
from curator.io.log_file import LogFile
from curator.labels.archive import archived_labels
from curator.labels.current_answers import CurrentAnswers
from curator.labels.read import read_imports
from curator.progress import Progress
from curator.readers.account import ReadAccount
from curator.readers.hints import listed
from curator.readers.read import read
from curator.records import (
    Case,
    DuplicateRecord,
    IntakeCounts,
    Label,
    Reference,
    RejectedRecord,
    Verdict,
    random_order,
)
from curator.run_folder.layout import SET_ASIDE_FAILED
from curator.run_folder.set_aside import rejected_row
from curator.stages.redact import Redaction
from curator.text.display import one_line, plural
from curator.text.problems import problems_by_kind

MOST_REJECTED = 1_000_000
"""After each so many rejected records their share is checked, not only at the end."""
_SHOWN_LABELS, _LONGEST_LABEL = 5, 60


def ingest(  # noqa: PLR0913  the options of a run, and what earlier runs left
    config: Config,
    logs: Sequence[str],
    labels: Sequence[str],
    progress: Progress,
    folder: Path | None,
    *,
    redaction: Redaction | None = None,
    processes: int = 1,
    earlier: Sequence[Case] = (),
) -> IngestResult:
    """Read, redact, deduplicate and label the logs; `folder` holds the labels of earlier runs.

    The cases of an `earlier` eval set that the logs no longer hold are labelled, too.
    `redaction` keeps its key and the map of pseudonyms if there is a folder; by default its key is new and forgotten.
    Large files are read in so many `processes`.
    """
    redaction = redaction or Redaction(config, None)
    unreadable: list[RejectedRecord] = []
    paths = logs or config.logs.paths
    reading = read(config.logs, paths=paths, redaction=redaction, processes=processes)
    account = reading.account

    def readable() -> Iterator[Case]:
        for record in reading:
            progress.advance()
            if isinstance(record, Case):
                yield redaction.keyed(record)
            elif isinstance(record, RejectedRecord):
                unreadable.append(redaction.rejected(record))
                if len(unreadable) % MOST_REJECTED == 0:  # more would fill the memory before the end shows their share
                    _check_readable(account.records, unreadable, config.logs.max_unreadable, folder)

    progress.start("read", total=None, unit="records")
    deduped = deduplicate(readable(), config.dedupe)
    progress.finish(
        f"{plural(account.records, 'record')}, {plural(len(deduped.cases), 'case')}, {len(unreadable):,} set aside"
    )
    if not account.records:
        raise _no_record(paths)
    _check_readable(account.records, unreadable, config.logs.max_unreadable, folder)
    if folder is not None:
        redaction.save()
    labelled = _label(deduped, earlier, [*config.labels, *labels], archived_labels(folder), config, redaction)
    return IngestResult(
        account.cases + len(unreadable),
        labelled.cases,
        _subset(labelled.cases, config),
        deduped.merged,
        tuple(unreadable),
        labelled.used,
        tuple(map(redaction.redactor.text, (*account.note_lines(), *labelled.warnings))),
        account,
        dict(redaction.counts),
        reading.files,
        redaction.redactor.text(account.understood()),
        labelled.unsure,
        gone=labelled.gone,
        given=labelled.given,
    )


def _no_record(paths: Sequence[str]) -> LogsError:
    return LogsError(
        f"the logs hold no record: {listed(paths)}", remedy="name logs that hold some, in `logs.paths` or with --logs"
    )


def _check_readable(records: int, unreadable: Sequence[RejectedRecord], limit: float, folder: Path | None) -> None:
    if len(unreadable) <= limit * records and len(unreadable) < records:
        if folder is not None:
            SET_ASIDE_FAILED.of(folder).unlink(missing_ok=True)
        return
    place = ""
    if folder is not None:
        write_atomic(SET_ASIDE_FAILED.of(folder), json_lines(map(rejected_row, unreadable)))
        place = f"all of them are in {str(SET_ASIDE_FAILED.of(folder))!r}; "
    example, alike, in_file = _commonest(unreadable)
    raise LogsError(
        f"{len(unreadable):,} of {plural(records, 'record')} cannot be read, more than `logs.max_unreadable: {limit}` allows;"
        f" {in_file:,} of them are in {example.source.file}, and the commonest reason there ({plural(alike, 'record')}) is"
        f" that of {example.source}: {example.reason}",
        remedy=f"{example.remedy} ({place}or allow more with `logs.max_unreadable`)",
    )


def _commonest(unreadable: Sequence[RejectedRecord]) -> tuple[RejectedRecord, int, int]:
    """Return the first record with the commonest reason of the file with most rejected records.

    The numbers are those of the records of that file with that reason, and of all rejected records of that file.
    """
    file, in_file = Counter(record.source.file for record in unreadable).most_common(1)[0]
    of_file = [record for record in unreadable if record.source.file == file]
    reason, alike = Counter(record.reason for record in of_file).most_common(1)[0]
    return next(record for record in of_file if record.reason == reason), alike, in_file


@dataclass(frozen=True, slots=True)
class _Labelled:
    """The labelled cases of the logs and of the eval set, and the labels by case id.

    `used` is the number of labels that count; `warnings` name the others. `unsure` are those that decide nothing.
    """

    cases: tuple[Case, ...]
    gone: tuple[Case, ...]
    given: Mapping[str, Label]
    used: int
    warnings: tuple[str, ...]
    unsure: Mapping[str, Label]


def _label(
    deduped: DedupeResult,
    earlier: Sequence[Case],
    paths: Sequence[str],
    kept: Sequence[str],
    config: Config,
    redaction: Redaction,
) -> _Labelled:
    """Give each case its label.

    A later one of the `kept` queues corrects an earlier one, and `paths` correct them all. A case of the eval set that these
    logs merge into another one shares its label.
    """
    in_logs = {case.id for case in deduped.cases}
    gone = [case for case in earlier if case.id not in in_logs]
    files = [*([path] for path in kept), *([list(paths)] if paths else [])]
    kept_cases = deduped.case_of
    answers = [
        *(case.target for case in deduped.cases),
        *(text for task in config.tasks.values() for text in task.labels),
    ]
    current = CurrentAnswers.of((case.id, case.question or case.id, case.target) for case in deduped.cases)
    label_set = read_imports(files, kept_cases, answers=answers, current=current)
    warnings = list(label_set.notes)
    warnings += [f"{problem} -> {remedy}" for problem, remedy in problems_by_kind(label_set.rejected)]
    warnings += [label_set.agreement.to_text()] if label_set.agreement else []
    given = {i: redaction.label(label) for i, label in label_set.labels.items()}
    given |= {case.id: given[kept_cases[case.id]] for case in gone if kept_cases.get(case.id) in given}
    labels = {i: reference for i, label in given.items() if (reference := _reference_of(label))}
    cases = {case.id: case for case in (*deduped.cases, *gone)}
    unknown = [case_id for case_id, label in given.items() if not label.unsure and case_id not in cases]
    labels, not_used = _usable(labels, cases, config, unknown=sorted(unknown))
    warnings += not_used
    verdicts = {
        i: Verdict(label.failure, label.slice, label.probability)
        for i, label in given.items()
        if label.failure is not None
    }
    for_case = {i: _labelled(case, labels.get(i), verdicts.get(i), given.get(i)) for i, case in cases.items()}
    return _Labelled(
        tuple(for_case[case.id] for case in deduped.cases),
        tuple(for_case[case.id] for case in gone),
        given,
        len(labels.keys() | verdicts.keys() & cases.keys()),
        tuple(warnings),
        {case.id: given[case.id] for case in for_case.values() if case.needs_label and case.id in label_set.unsure},
    )


def _usable(
    labels: Mapping[str, Reference], cases: Mapping[str, Case], config: Config, *, unknown: list[str]
) -> tuple[dict[str, Reference], list[str]]:
    """Return the labels that their cases can have, and a warning for each reason against others.

    The `unknown` cases have a label or a verdict and are not in the logs.
    """
    usable: dict[str, Reference] = {}
    others: dict[str, list[str]] = {"these logs hold no such case": unknown} if unknown else {}
    for case_id, label in sorted(labels.items()):
        if case_id not in cases:
            continue
        task = config.tasks.get(cases[case_id].task or "", TaskConfig())
        kind = cases[case_id].kind or kind_of(task)
        if kind and not read_answer(label.text, kind, labels=task.labels).key:
            allowed = f", one of {', '.join(task.labels)}" if task.labels else ""
            text = one_line(label.text, _LONGEST_LABEL)
            others.setdefault(f"it should be a {kind}{allowed}", []).append(f"{text!r} for {case_id}")
        else:
            usable[case_id] = label
    warnings = []
    for reason, examples in others.items():
        more = ", ..." if len(examples) > _SHOWN_LABELS else ""
        which = "the label" if len(examples) == 1 else f"{len(examples):,} labels:"
        used = "is" if len(examples) == 1 else "are"
        warnings.append(f"{which} {', '.join(examples[:_SHOWN_LABELS])}{more} {used} not used: {reason}")
    return usable, warnings


def _reference_of(label: Label) -> Reference | None:
    """Return the right answer of a label; None where the label is only a verdict."""
    if label.text is None:
        return None
    return Reference(label.text, "label", label.by or None, label.slice, label.probability, label.at)


def _labelled(case: Case, reference: Reference | None, verdict: Verdict | None, label: Label | None) -> Case:
    """Return the case with its label and verdict; an answer judged right is a trusted answer."""
    if reference is None and label is not None and label.failure == 0 and case.target is not None:
        reference = Reference(case.target, "label", label.by or None, label.slice, label.probability, label.at)
    return replace(case, reference=reference or case.reference, verdict=verdict or case.verdict)


def _subset(cases: tuple[Case, ...], config: Config) -> tuple[Case, ...]:
    """Return the random subset that `logs.sample` asks for, in the order of the log."""
    questions = [case.id for case in cases if not case.question]
    if config.logs.sample is None or config.logs.sample >= len(questions):
        return cases
    chosen = set(random_order(questions, config.seed)[: config.logs.sample])
    return tuple(case for case in cases if (case.question or case.id) in chosen)


@dataclass(frozen=True, slots=True)
class IngestResult:
    """The cases of the logs; `read` exchanges and records = `cases` + `merged` + `unreadable`.

    `asked` are the cases for the committee: all of them, or the random subset of `logs.sample`. `labels` is the number of labels
    that were used; `warnings` name the others. `unsure` has those of cases that people could not judge. `redacted` counts what was
    replaced in the cases, by kind. `logs` are the files that were read; `understood` names their formats and the keys that were not
    used. `gone` are the cases of the earlier eval set that the logs no longer hold, with their labels; `given` are the labels by case
    id, those of cases of neither included.
    """

    read: int
    cases: tuple[Case, ...]
    asked: tuple[Case, ...]
    merged: tuple[DuplicateRecord, ...]
    unreadable: tuple[RejectedRecord, ...]
    labels: int
    warnings: tuple[str, ...]
    account: ReadAccount = field(default_factory=ReadAccount)
    redacted: Mapping[str, int] = field(default_factory=dict)
    logs: tuple[LogFile, ...] = ()
    understood: str = ""
    unsure: Mapping[str, Label] = field(default_factory=dict)
    gone: tuple[Case, ...] = ()
    given: Mapping[str, Label] = field(default_factory=dict)

    @property
    def corrected_categories(self) -> dict[str, str]:
        """The category that people put a case in, as they wrote it, by case id."""
        return {i: label.category for i, label in sorted(self.given.items()) if label.category}

    @property
    def questions(self) -> tuple[Case, ...]:
        """The cases that the committee is asked about: one for each question."""
        return tuple(case for case in self.asked if not case.question)

    @property
    def same_question(self) -> dict[str, str]:
        """The case that is asked, by the id of each other case of its question."""
        return {case.id: case.question for case in self.asked if case.question}

    @property
    def counts(self) -> IntakeCounts:
        """Counts of the logs beside those of records and cases."""
        return IntakeCounts(
            earlier_turns=self.account.further,
            other_records=sum(self.account.others.values()),
            failed_calls=self.account.failed_calls,
            contradicted=len({case.question for case in self.cases if case.question}),
        )

    @property
    def files(self) -> list[str]:
        """The names of the log files, sorted."""
        return sorted(map(str, self.logs))


def ingest_lines(counts: IntakeCounts, read: int, cases: int, merged: int, set_aside: int) -> list[str]:
    """Return the sentences that account for every record read, for plans and results."""
    turns = f" with {plural(counts.earlier_turns, 'earlier turn')} of conversations" if counts.earlier_turns else ""
    others = f" ({counts.other_records:,} of them without a case of their own)" if counts.other_records else ""
    records = plural(read - counts.earlier_turns + counts.other_records, "record")
    lines = [f"{records}{turns} read{others} = {plural(cases, 'case')} + {merged:,} merged + {set_aside:,} set aside"]
    notes = [plural(counts.failed_calls, "failed call")] if counts.failed_calls else []
    if counts.contradicted:
        notes.append(f"production gave different answers to {plural(counts.contradicted, 'question')}")
    return [*lines, *(["; ".join(notes)] if notes else [])]
