"""Every exception that `curator` raises on purpose, and the exit code each one ends the command with.

CuratorError
└── UserError              the user can fix it; shown without a traceback
    ├── ConfigError        2   a config, prompt variant or argument that does not fit
    ├── LogsError          6   no log, an empty one, or too much of it unreadable
    ├── NotConfirmed       2   the run may cost more than was agreed to
    ├── BudgetReached      4   the spending limit was reached; a second run goes on from there
    ├── ProviderError      5   an endpoint refuses for good; a second run goes on from there
    ├── Refused            2   the labels, or the way they were chosen, do not support what was asked
    ├── RunLocked          2   another process works on the same run folder
    ├── StorageError       1   the disk is full or may not be written; a second run goes on from there
    └── MissingDependency  2   a package or model that an option needs is not installed

Ctrl-C and SIGTERM stay what Python makes of them, KeyboardInterrupt; the command ends with 130.
"""

from __future__ import annotations


class CuratorError(Exception):
    """The root of the tree. `exit_code` is what the command ends with."""

    exit_code = 1


class UserError(CuratorError):
    """Something the user can fix: `what` is wrong (with its place), and the `remedy`."""

    def __init__(self, what: str, *, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n  -> {self.remedy}"


class ConfigError(UserError):
    """A config, a prompt variant or an argument that does not fit."""

    exit_code = 2


class LogsError(UserError):
    """No log was found, it is empty, or too much of it cannot be read."""

    exit_code = 6


class NotConfirmed(UserError):
    """A run may cost more than was agreed to. Nothing was spent."""

    exit_code = 2


class BudgetReached(UserError):
    """A limit of `budget:` was reached. What was paid for is stored."""

    exit_code = 4


class ProviderError(UserError):
    """An endpoint refuses for good: no connection, no such model, a bad key, no quota."""

    exit_code = 5


class Refused(UserError):
    """The labels, or the way in which their cases were chosen, do not support what was asked."""

    exit_code = 2


class RunLocked(UserError):
    """Another process works on the same run folder."""

    exit_code = 2


class StorageError(UserError):
    """The disk is full, or a folder may not be written."""

    exit_code = 1


class MissingDependency(UserError):
    """A package or a model file that an option needs is not installed."""

    exit_code = 2
