"""`curator check`: what was understood of logs, before anything is spent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from curator.answers.kind_detection import detect_task_kind
from curator.answers.normalization import answer_part, normal_form
from curator.config import Config, LogsConfig, TaskConfig
from curator.config.logs import kind_of
from curator.config.redaction import RedactionConfig
from curator.readers.account import ReadAccount, Seen
from curator.readers.read import read
from curator.readers.trial import MappingTrial, try_mapping
from curator.records import Case, RejectedRecord
from curator.redaction.redactor import Redactor
from curator.state.pseudonyms import new_key
from curator.workflows.check_result import CheckResult, SetAsideReason, TaskAnswers
from curator.workflows.inputs import Paths, path_list

SHOWN_CASES = 3
_MOST_REJECTED = 10_000
_ANSWERS = 500
"""Answers of a task by which their kind is detected: labels are recognised from 50 answers on."""
_MOST_TASKS = 50
_MOST_LABELS = 30
"""Labels beyond this number are rather short answers of their own than the values of a classifier."""
_QUOTED = 40
"""Characters of a document by which it is found in a prompt."""
_NONE = "(none)"


@dataclass(slots=True)
class _Tally:
    """The counts over all cases of the logs."""

    cases: int = 0
    answers: int = 0
    tools: int = 0
    documents: int = 0
    unquoted: int = 0
    costs: int = 0
    usd: float = 0.0
    labels: int = 0
    thumbs: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    finish_reasons: Counter[str] = field(default_factory=Counter)
    sessions: set[str] = field(default_factory=set)
    answered: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    first: float | None = None
    last: float | None = None

    def add(self, case: Case) -> None:
        """Count a case."""
        self.cases += 1
        self.answers += case.target is not None
        self.tools += "tools" in case.options or any(message.tool_calls for message in case.messages)
        self.documents += bool(case.documents)
        self.unquoted += bool(case.documents) and not _is_quoted(case)
        if case.cost_usd is not None:
            self.costs += 1
            self.usd += case.cost_usd
        self.labels += case.reference is not None
        if case.feedback and case.feedback.thumb:
            self.thumbs[case.feedback.thumb] += 1
        task = case.task or _NONE
        self.tasks[task] += 1
        self.models[case.model or _NONE] += 1
        self.finish_reasons[case.finish_reason or _NONE] += 1
        if case.session:
            self.sessions.add(case.session)
        if case.time is not None:
            self.first = case.time if self.first is None else min(self.first, case.time)
            self.last = case.time if self.last is None else max(self.last, case.time)
        if case.target is not None and (task in self.answered or len(self.answered) < _MOST_TASKS):
            held = self.answered.setdefault(task, [])
            if len(held) < _ANSWERS:
                held.append((case.target, case.user))


@dataclass(slots=True)
class _SetAside:
    """The records that were set aside: the first ones, and the counts by remedy and by file."""

    first: list[RejectedRecord] = field(default_factory=list)
    by_remedy: dict[str, tuple[RejectedRecord, int]] = field(default_factory=dict)
    by_file: Counter[str] = field(default_factory=Counter)

    def add(self, record: RejectedRecord) -> None:
        """Count a record."""
        if len(self.first) < _MOST_REJECTED:
            self.first.append(record)
        self.by_file[record.source.file] += 1
        if record.remedy in self.by_remedy or len(self.by_remedy) < _MOST_REJECTED:
            first, count = self.by_remedy.get(record.remedy, (record, 0))
            self.by_remedy[record.remedy] = first, count + 1

    def reasons(self) -> tuple[SetAsideReason, ...]:
        """The commonest remedies first."""
        return tuple(
            SetAsideReason(first, count)
            for first, count in sorted(self.by_remedy.values(), key=lambda reason: -reason[1])
        )


def check(logs: Paths, *, config: Config | LogsConfig | None = None) -> CheckResult:
    """Read logs to their end, and say what was understood of them.

    Nothing is asked, stored or written. What is shown of the logs is without secrets.

    Args:
        logs: files, folders, globs or addresses.
        config: a job, whose `logs:`, `tasks:` and `redaction:` sections are used, or a `logs:` section alone.

    Raises:
        LogsError: a path matches nothing.
        ConfigError: the format is `mapped` without a mapping.
    """
    options = config.logs if isinstance(config, Config) else config or LogsConfig()
    rules = config.redaction if isinstance(config, Config) else RedactionConfig()
    redactor = Redactor(rules, new_key())
    reading = read(options, paths=path_list(logs) or None)
    tally, aside = _Tally(), _SetAside()
    first: list[Case] = []
    for record in reading:
        if isinstance(record, Case):
            tally.add(record)
            if len(first) < SHOWN_CASES:
                first.append(redactor.case(record).value)
        elif isinstance(record, RejectedRecord):
            reason, remedy = redactor.text(record.reason), redactor.text(record.remedy)
            aside.add(RejectedRecord(record.source, reason, remedy))
    account = reading.account
    trial = _trial(account, aside, options)
    if trial is not None:
        trial = replace(trial, snippet=redactor.text(trial.snippet))
    _redact(account, redactor)
    tasks = config.tasks if isinstance(config, Config) else {}
    return CheckResult(
        account,
        tuple(first),
        None if tally.first is None or tally.last is None else (tally.first, tally.last),
        tally.usd,
        {
            "answers": tally.answers, "tools": tally.tools, "documents": tally.documents, "labels": tally.labels, "unquoted": tally.unquoted,
            "costs": tally.costs,
            "thumbs_up": tally.thumbs["up"], "thumbs_down": tally.thumbs["down"], "sessions": len(tally.sessions),
        },
        _counts(tally.tasks, redactor),
        _counts(tally.models, redactor),
        _counts(tally.finish_reasons, redactor),
        {
            redactor.text(task): _task_answers(answered, tasks.get(task, TaskConfig()), redactor)
            for task, answered in tally.answered.items()
        },
        aside.reasons(),
        trial,
        tuple(aside.first),
        account.rejected > options.max_unreadable * account.records or account.rejected == account.records,
    )  # fmt: skip


def _is_quoted(case: Case) -> bool:
    """Return whether the messages hold the beginning of a document."""
    begins = [text[:_QUOTED] for document in case.documents if (text := document.text.strip())]
    return any(begin in message.content for begin in begins for message in case.messages)


def _counts(counter: Counter[str], redactor: Redactor) -> dict[str, int]:
    return {redactor.text(name): count for name, count in counter.most_common()}


def _task_answers(answered: list[tuple[str, str]], task: TaskConfig, redactor: Redactor) -> TaskAnswers:
    """The kind of a task's answers, and the labels that occur more than once."""
    kind = kind_of(task) or detect_task_kind([([answer], asked) for answer, asked in answered])
    longest = sorted(len(answer) for answer, _ in answered)[(19 * (len(answered) - 1) + 19) // 20]
    if task.labels or kind != "label":
        return TaskAnswers(kind, longest, tuple((label, 0) for label in task.labels))
    written: dict[str, Counter[str]] = {}
    for answer, _ in answered:
        text = answer_part(answer).strip()
        written.setdefault(normal_form(text), Counter())[text] += 1
    labels = [(next(iter(texts.most_common(1)))[0], texts.total()) for texts in written.values() if texts.total() > 1]
    labels.sort(key=lambda label: -label[1])
    return TaskAnswers(kind, longest, tuple((redactor.text(text), count) for text, count in labels[:_MOST_LABELS]))


def _trial(account: ReadAccount, aside: _SetAside, options: LogsConfig) -> MappingTrial | None:
    """A mapping that reads more of the file with most records set aside, if they are too many."""
    for file, count in aside.by_file.most_common(1):
        records = account.files[file].records if file in account.files else 0
        if count > options.max_unreadable * records:
            trial = try_mapping(file, options)
            return trial if trial and trial.cases * records > (records - count) * trial.records else None
    return None


def _redact(account: ReadAccount, redactor: Redactor) -> None:
    """Take secrets out of the names of keys and out of the notes."""
    for counts in (account.unused, account.notes):
        for text, seen in list(counts.items()):
            del counts[text]
            shown = redactor.text(text)
            counts[shown] = Seen(seen.count + (counts[shown].count if shown in counts else 0), seen.first)
    account.absent = tuple(map(redactor.text, account.absent))
    account.scales = {redactor.text(name): scale for name, scale in account.scales.items()}
    account.open_ratings = {redactor.text(name): values for name, values in account.open_ratings.items()}
