"""Every exception that `curator` raises on purpose, and every exit code of the command.

CuratorError
├── RecordError            one record cannot be read; readers catch it and keep a `RejectedRecord`
└── UserError              the user can fix it; shown without a traceback
    ├── ConfigError        2   a config, prompt variant or argument is wrong
    ├── LogsError          6   no log, an empty one, or too much of it unreadable
    ├── NotConfirmed       2   the run may cost more than was agreed to
    ├── BudgetReached      4   the spending limit was reached; a second run goes on from there
    ├── ProviderError      5   an endpoint refuses for good; a second run goes on from there
    ├── Refused            2   the labels, or the way they were chosen, do not support what was asked
    ├── RunLocked          2   another process works on the same run folder
    ├── StorageError       1   the disk is full or may not be written; a second run goes on from there
    └── MissingDependency  2   a package or model that an option needs is not installed

Ctrl-C and SIGTERM stay Python's KeyboardInterrupt; the command ends with 130.
"""

from __future__ import annotations

from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curator.records.rejected import RejectedRecord
    from curator.workflows.run_result import RunResult


class ExitCode(IntEnum):
    """The exit codes of a command; help and documentation print the `meaning`."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        """Create the member from its number and its meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    DONE = 0, "done"
    STORAGE = 1, "the disk is full or may not be written; the same command goes on from there"
    USAGE = 2, "usage, config, a missing package, or a cost that was not agreed to"
    GATE_FAILED = 3, "a gate failed (`leaks`, `compare --fail-if-worse`)"
    BUDGET_REACHED = 4, "the spending limit was reached; the same command goes on from there"
    PROVIDER_REFUSED = (
        5,
        (
            "an endpoint refuses for good, is not there, asks to wait for long, or gives no answer; the same command goes on from"
            " there"
        ),
    )
    UNREADABLE = 6, "no log, an empty one, or too much of it unreadable"
    INTERRUPTED = 130, "interrupted; the same command goes on from there"


class CuratorError(Exception):
    """The root of the tree. `exit_code` is the code that the command ends with."""

    exit_code: ExitCode = ExitCode.STORAGE


class RecordError(CuratorError):
    """One record cannot be read. Parsers raise it, readers catch it and keep the record."""

    exit_code = ExitCode.UNREADABLE

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        """Return how a worker process hands the error over."""
        return type(self), (self.reason, self.remedy)

    def at(self, file: str, line: int, part: int = 0) -> RejectedRecord:
        """Return the record to set aside."""
        from curator.records.cases import Source
        from curator.records.rejected import RejectedRecord

        return RejectedRecord(Source(file, line, part), self.reason, self.remedy)

    def inside(self, place: str) -> RecordError:
        """Return the same error, prefixed with the place inside the record."""
        return RecordError(f"{place}: {self.reason}", self.remedy)


class UserError(CuratorError):
    """Something the user can fix: `what` is wrong (with its place), and the `remedy`."""

    def __init__(self, what: str, *, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        """Return how a worker process hands the error over."""
        return partial(type(self), remedy=self.remedy), (self.what,), self.__dict__

    def __str__(self) -> str:
        return f"{self.what}\n  -> {self.remedy}"


class ConfigError(UserError):
    """A config, a prompt variant or an argument is wrong."""

    exit_code = ExitCode.USAGE


class LogsError(UserError):
    """No log was found, it is empty, or too much of it cannot be read."""

    exit_code = ExitCode.UNREADABLE


class NotConfirmed(UserError):
    """A run may cost more than was agreed to. Nothing was spent."""

    exit_code = ExitCode.USAGE


class BudgetReached(UserError):
    """A limit of `budget:` was reached. What was paid for is stored.

    `result` is what `curator run` made of the answers so far; None where there are none, and from other commands.
    """

    exit_code = ExitCode.BUDGET_REACHED

    def __init__(self, what: str, *, remedy: str, result: RunResult | None = None) -> None:
        super().__init__(what, remedy=remedy)
        self.result = result


class ProviderError(UserError):
    """An endpoint refuses for good or for long: no connection, no model, a bad key, no quota."""

    exit_code = ExitCode.PROVIDER_REFUSED


class NoAnswers(ProviderError):
    """The models gave no answer that can be used, as where reasoning used up the token limit.

    `result` is what `curator run` made of the calls so far; None from other commands.
    """

    def __init__(self, what: str, *, remedy: str, result: RunResult | None = None) -> None:
        super().__init__(what, remedy=remedy)
        self.result = result


class Refused(UserError):
    """The labels, or the way in which their cases were chosen, do not support what was asked."""

    exit_code = ExitCode.USAGE


class RunLocked(UserError):
    """Another process works on the same run folder."""

    exit_code = ExitCode.USAGE


class StorageError(UserError):
    """The disk is full, or a folder may not be written."""

    exit_code = ExitCode.STORAGE


class MissingDependency(UserError):
    """A package or a model file that an option needs is not installed."""

    exit_code = ExitCode.USAGE
