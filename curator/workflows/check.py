"""`curator check`: what was understood of logs, before anything is spent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from curator.config import Config, LogsConfig
from curator.config.redaction import RedactionConfig
from curator.errors import ExitCode
from curator.readers.account import ReadAccount
from curator.readers.read import read
from curator.records import Case, JsonValue, RejectedRecord
from curator.records.result import Result
from curator.redaction.redactor import Redactor
from curator.state.pseudonyms import new_key
from curator.text.display import one_line, plural
from curator.workflows.inputs import Paths, path_list

SHOWN_CASES = 3
_SHOWN = 8
_LINE = 160
_MOST_REJECTED = 10_000


@dataclass(slots=True)
class _Tally:
    """The counts over all cases of the logs."""

    cases: int = 0
    answers: int = 0
    tools: int = 0
    documents: int = 0
    labels: int = 0
    thumbs: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    finish_reasons: Counter[str] = field(default_factory=Counter)
    sessions: set[str] = field(default_factory=set)
    first: float | None = None
    last: float | None = None

    def add(self, case: Case) -> None:
        """Count a case."""
        self.cases += 1
        self.answers += case.target is not None
        self.tools += "tools" in case.options or any(message.tool_calls for message in case.messages)
        self.documents += bool(case.documents)
        self.labels += case.reference is not None
        if case.feedback and case.feedback.thumb:
            self.thumbs[case.feedback.thumb] += 1
        self.tasks[case.task or "(none)"] += 1
        self.models[case.model or "(none)"] += 1
        self.finish_reasons[case.finish_reason or "(none)"] += 1
        if case.session:
            self.sessions.add(case.session)
        if case.time is not None:
            self.first = case.time if self.first is None else min(self.first, case.time)
            self.last = case.time if self.last is None else max(self.last, case.time)


@dataclass(frozen=True, slots=True)
class CheckResult(Result):
    """The account of logs, and the first cases as they would be asked.

    Attributes:
        account: every record, unused key and note.
        first: the first cases, redacted.
        span: the times of the first and the last call, in seconds since 1970; None where none is logged.
        counts: cases with an answer, tools, documents, a label, a thumb up or down, and sessions, by these names.
        tasks: cases by task.
        models: cases by model.
        finish_reasons: cases by finish reason.
        unreadable: the first rejected records.
        too_many: more than `logs.max_unreadable` of the records were rejected, or all.
    """

    account: ReadAccount
    first: tuple[Case, ...]
    span: tuple[float, float] | None
    counts: dict[str, int]
    tasks: dict[str, int]
    models: dict[str, int]
    finish_reasons: dict[str, int]
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
            "other_records": {**account.others}, "counts": {**self.counts}, "tasks": {**self.tasks},
            "models": {**self.models}, "finish_reasons": {**self.finish_reasons},
            "span": list(self.span) if self.span else None, "feedback_scales": {**account.scales},
            "files": [
                {"path": f.path, "reader": f.reader, "records": f.records, "container": f.container, "encoding": f.encoding}
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
        """The figures for people."""
        account = self.account
        formats = Counter((f.reader, f.container, f.encoding or "utf-8") for f in account.files.values())
        lines = [
            f"{plural(count, 'file')} read as {reader} ({container}, {encoding})"
            for (reader, container, encoding), count in formats.items()
        ]
        if account.skipped:
            lines.append(f"{plural(len(account.skipped), 'file')} skipped: {_listed(map(str, account.skipped))}")
        lines += [_records_line(account), *_counts_lines(self)]
        if account.unused:
            keys = sorted(account.unused.items(), key=lambda item: -item[1].count)
            lines.append(f"keys that were not used: {_listed(f'{path} ({seen.count:,})' for path, seen in keys)}")
        for number, case in enumerate(self.first, 1):
            lines += ["", f"case {number} as it would be asked ({case.source}):"]
            lines += [f"  {m.role}: {one_line(m.content, _LINE)}" for m in case.messages]
            lines.append(f"  -> {'(no answer)' if case.target is None else one_line(case.target, _LINE)}")
        return "\n".join(lines)


def check(logs: Paths, *, config: Config | LogsConfig | None = None) -> CheckResult:
    """Read logs to their end, and say what was understood of them.

    Nothing is asked, stored or written.

    Args:
        logs: files, folders, globs or addresses.
        config: a job, whose `logs:` and `redaction:` sections are used, or a `logs:` section alone.

    Raises:
        LogsError: a path matches nothing.
        ConfigError: the format is `mapped` without a mapping.
    """
    options = config.logs if isinstance(config, Config) else config or LogsConfig()
    rules = config.redaction if isinstance(config, Config) else RedactionConfig()
    redactor = Redactor(rules, new_key())
    reading = read(options, paths=path_list(logs) or None)
    tally = _Tally()
    first: list[Case] = []
    rejected: list[RejectedRecord] = []
    for record in reading:
        if isinstance(record, Case):
            tally.add(record)
            if len(first) < SHOWN_CASES:
                first.append(redactor.case(record).value)
        elif isinstance(record, RejectedRecord) and len(rejected) < _MOST_REJECTED:
            reason, remedy = redactor.text(record.reason), redactor.text(record.remedy)
            rejected.append(RejectedRecord(record.source, reason, remedy))
    account = reading.account
    return CheckResult(
        account,
        tuple(first),
        None if tally.first is None or tally.last is None else (tally.first, tally.last),
        {
            "answers": tally.answers, "tools": tally.tools, "documents": tally.documents, "labels": tally.labels,
            "thumbs_up": tally.thumbs["up"], "thumbs_down": tally.thumbs["down"], "sessions": len(tally.sessions),
        },
        dict(tally.tasks.most_common()),
        dict(tally.models.most_common()),
        dict(tally.finish_reasons.most_common()),
        tuple(rejected),
        account.rejected > options.max_unreadable * account.records or account.rejected == account.records,
    )  # fmt: skip


def _records_line(account: ReadAccount) -> str:
    parts = [f"{plural(account.cases, 'case')}", f"{account.rejected:,} set aside"]
    parts += [f"{count:,} {what}" for what, count in account.others.most_common()]
    earlier = f" ({account.further:,} of the cases are earlier turns of conversations)" if account.further else ""
    repeated = f"; {account.repeated_turns:,} repeated turns left out" if account.repeated_turns else ""
    return f"{plural(account.records, 'record')}: {', '.join(parts)}{earlier}{repeated}"


def _counts_lines(result: CheckResult) -> list[str]:
    counts, account = result.counts, result.account
    lines = [
        ", ".join(
            (
                f"{counts['answers']:,} with an answer",
                plural(account.failed_calls, "failed call"),
                f"{counts['tools']:,} with tools",
                f"{counts['documents']:,} with documents",
                f"{counts['labels']:,} with a label or correction",
            )
        )
    ]
    if counts["thumbs_up"] or counts["thumbs_down"] or account.scales:
        scales = "".join(f"; {name}: {scale}" for name, scale in account.scales.items())
        lines.append(f"feedback: {counts['thumbs_up']:,} up, {counts['thumbs_down']:,} down{scales}")
    for name, values in (("tasks", result.tasks), ("models", result.models), ("finish reasons", result.finish_reasons)):
        if values.keys() - {"(none)"}:
            lines.append(f"{name}: {_listed(f'{value} ({count:,})' for value, count in values.items())}")
    if counts["sessions"]:
        lines.append(plural(counts["sessions"], "session"))
    if result.span:
        first, last = (datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds") for time in result.span)
        lines.append(f"from {first} to {last}")
    return lines


def _listed(items: Iterable[str]) -> str:
    shown = [one_line(item, _LINE) for item in items]
    return ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
