"""The result of `curator check`, and its text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from curator.errors import ExitCode
from curator.readers import READERS
from curator.readers.account import FileAccount, ReadAccount
from curator.readers.trial import MappingTrial
from curator.records import Case, JsonValue, Kind, RejectedRecord
from curator.records.result import Result
from curator.text.display import money, one_line, plural

_SHOWN = 8
_SHOWN_REASONS = 5
_LINE = 160
_LONG_LINE = 400
_TEXTS = ("jsonl", "json", "csv")


@dataclass(frozen=True, slots=True)
class SetAsideReason:
    """Records that were set aside with one remedy: the first of them, and their number."""

    first: RejectedRecord
    count: int


@dataclass(frozen=True, slots=True)
class TaskAnswers:
    """The answers of a task.

    Attributes:
        kind: their kind, as the config says or as detected.
        longest: the number of characters that 19 of 20 answers do not exceed.
        labels: of labels the values with their counts, the commonest first.
    """

    kind: Kind
    longest: int
    labels: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult(Result):
    """The account of logs, and the first cases as they would be asked.

    Attributes:
        account: every record, unused key and note.
        first: the first cases, redacted.
        span: the times of the first and the last call, in seconds since 1970; None where none is logged.
        cost_usd: what the logged calls cost, in US dollars; 0 where no cost is logged.
        counts: cases with an answer, tools, documents, documents that the prompt does not quote, a label, a thumb up or down, a
            cost, and sessions, by these names.
        tasks: cases by task.
        models: cases by model.
        finish_reasons: cases by finish reason.
        answers: the answers of each task, by the names in `tasks`; tasks without any are not in it.
        reasons: the records set aside, by remedy, the commonest first.
        trial: a mapping that reads a file which is set aside for the most part; None without one.
        unreadable: the first rejected records.
        too_many: more than `logs.max_unreadable` of the records were rejected, or all.
    """

    account: ReadAccount
    first: tuple[Case, ...]
    span: tuple[float, float] | None
    cost_usd: float
    counts: dict[str, int]
    tasks: dict[str, int]
    models: dict[str, int]
    finish_reasons: dict[str, int]
    answers: dict[str, TaskAnswers]
    reasons: tuple[SetAsideReason, ...]
    trial: MappingTrial | None
    unreadable: tuple[RejectedRecord, ...]
    too_many: bool

    @property
    def rejected(self) -> tuple[RejectedRecord, ...]:
        """The first rejected records."""
        return self.unreadable

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what was lost or assumed."""
        return tuple(self.account.note_lines())

    @property
    def exit_code(self) -> ExitCode:
        """`UNREADABLE` where a run would refuse the logs."""
        return ExitCode.UNREADABLE if self.too_many else ExitCode.DONE

    def to_dict(self) -> dict[str, JsonValue]:
        """The figures for machines."""
        account = self.account
        return {
            "records": account.records, "cases": account.cases, "earlier_turns": account.further,
            "repeated_turns": account.repeated_turns, "set_aside": account.rejected, "failed_calls": account.failed_calls,
            "other_records": {**account.others}, "counts": {**self.counts}, "cost_usd": self.cost_usd, "tasks": {**self.tasks},
            "models": {**self.models}, "finish_reasons": {**self.finish_reasons},
            "answers": {task: {"kind": a.kind, "labels": dict(a.labels)} for task, a in self.answers.items()},
            "set_aside_by_remedy": [{"count": r.count, "first": {**r.first.to_dict()}} for r in self.reasons],
            "fitting_mapping": self.trial.snippet if self.trial else None,
            "span": list(self.span) if self.span else None, "feedback_scales": {**account.scales},
            "files": [
                {"path": f.path, "reader": f.reader, "recognised": f.recognised, "records": f.records, "container": f.container, "encoding": f.encoding}
                for f in account.files.values()
            ],
            "skipped_files": [str(skipped) for skipped in account.skipped],
            "unused_keys": {path: seen.count for path, seen in account.unused.items()},
            "first_cases": [
                {"id": case.id, "messages": [m.as_openai() for m in case.messages], "target": case.target}
                for case in self.first
            ],
            "warnings": list(self.warnings), "rejected": self.rejected_rows(),
        }  # fmt: skip

    def to_text(self) -> str:
        """The figures for people, and the first cases."""
        lines = [self.account_text()]
        for number, case in enumerate(self.first, 1):
            lines += ["", f"case {number} as it would be asked ({case.source}):"]
            lines += [f"  {m.role}: {one_line(m.content, _LINE)}" for m in case.messages]
            lines.append(f"  -> {'(no answer)' if case.target is None else one_line(case.target, _LINE)}")
        return "\n".join(lines)

    def account_text(self) -> str:
        """The figures for people."""
        account = self.account
        lines = [*_format_lines(account), _records_line(account), *_counts_lines(self)]
        if account.unused:
            keys = sorted(account.unused.items(), key=lambda item: -item[1].count)
            lines.append(f"keys that were not used: {_listed(f'{path} ({seen.count:,})' for path, seen in keys)}")
        return "\n".join([*lines, *_reason_lines(self.reasons), *_trial_lines(self.trial)])


def _records_line(account: ReadAccount) -> str:
    parts = [f"{plural(account.cases, 'case')}", f"{account.rejected:,} set aside"]
    parts += [f"{count:,} {what}" for what, count in account.others.most_common()]
    earlier = f" ({account.further:,} of the cases are earlier turns of conversations)" if account.further else ""
    repeated = f"; {account.repeated_turns:,} repeated turns left out" if account.repeated_turns else ""
    return f"{plural(account.records, 'record')}: {', '.join(parts)}{earlier}{repeated}"


def _counts_lines(result: CheckResult) -> list[str]:
    counts, account = result.counts, result.account
    without = account.cases - counts["answers"] - account.failed_calls
    lines = [
        ", ".join(
            (
                f"{counts['answers']:,} with an answer",
                plural(account.failed_calls, "failed call"),
                *([f"{without:,} without an answer"] if without > 0 else []),
                f"{counts['tools']:,} with tools",
                f"{counts['documents']:,} with documents",
                f"{counts['labels']:,} with a label or correction",
            )
        )
    ]
    if counts["unquoted"]:
        cases = plural(counts["unquoted"], "case")
        lines.append(f"the prompt quotes none of the documents in {cases}: the committee would be asked without them")
    if counts["thumbs_up"] or counts["thumbs_down"] or account.scales:
        scales = "".join(f"; {name}: {scale}" for name, scale in account.scales.items())
        lines.append(f"feedback: {counts['thumbs_up']:,} up, {counts['thumbs_down']:,} down{scales}")
    for name, values in (("tasks", result.tasks), ("models", result.models), ("finish reasons", result.finish_reasons)):
        if values.keys() - {"(none)"}:
            lines.append(f"{name}: {_listed(f'{value} ({count:,})' for value, count in values.items())}")
    if result.answers:
        alone = result.answers.keys() <= {"(none)"}
        kinds = (f"{'' if alone else f'{task}: '}{_kind_text(answers)}" for task, answers in result.answers.items())
        lines.append(f"kinds of answers: {_listed(kinds, between='; ')}")
    if counts["costs"]:
        lines.append(f"cost in the logs: {money(result.cost_usd)} in {plural(counts['costs'], 'call')}")
    if counts["sessions"]:
        lines.append(plural(counts["sessions"], "session"))
    if result.span:
        first, last = (datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds") for time in result.span)
        lines.append(f"from {first} to {last}")
    return lines


def _format_lines(account: ReadAccount) -> Iterator[str]:
    files = account.files.values()
    formats = Counter((f.reader if f.recognised else "", f.container, _encoding_of(f)) for f in files)
    for (reader, container, encoding), count in formats.items():
        description = f": {READERS[reader].description}" if reader in READERS else ""
        understood = f"read as {reader}" if reader else "of no known format"
        yield f"{plural(count, 'file')} {understood} ({container}{encoding}){description}"
    if account.skipped:
        skipped = (f"{skip.file} ({skip.reason})" for skip in account.skipped)
        yield f"{plural(len(account.skipped), 'file')} skipped: {_listed(skipped)}"


def _encoding_of(file: FileAccount) -> str:
    """The encoding of a text behind a comma; "" for tables that are no text."""
    return f", {file.encoding or 'utf-8'}" if file.container in _TEXTS else ""


def _reason_lines(reasons: tuple[SetAsideReason, ...]) -> Iterator[str]:
    if reasons:
        yield "set aside:"
    for reason in reasons[:_SHOWN_REASONS]:
        place = f"first at {reason.first.source}" if reason.count > 1 else f"at {reason.first.source}"
        yield f"  {plural(reason.count, 'record')} ({place}): {one_line(reason.first.reason, _LONG_LINE)}"
        yield f"    -> {one_line(reason.first.remedy, _LONG_LINE)}"
    if len(reasons) > _SHOWN_REASONS:
        yield f"  and {plural(len(reasons) - _SHOWN_REASONS, 'other reason')}, which --json lists"


def _trial_lines(trial: MappingTrial | None) -> Iterator[str]:
    if trial is not None:
        yield (
            f"what would help: {trial.snippet} gives {plural(trial.cases, 'case')} of the first"
            f" {plural(trial.records, 'record')} of {trial.file}; `curator init --logs` writes it"
        )


def _kind_text(answers: TaskAnswers) -> str:
    labels = ", ".join(one_line(label, 40) for label, _ in answers.labels[:_SHOWN])
    more = ", ..." if len(answers.labels) > _SHOWN else ""
    return f"{answers.kind} ({labels}{more})" if labels else answers.kind


def _listed(items: Iterable[str], *, between: str = ", ") -> str:
    shown = [one_line(item, _LINE) for item in items]
    return between.join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
