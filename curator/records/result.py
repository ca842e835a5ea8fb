"""The base of every result: figures, text, warnings, rejected records, an exit code."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, ClassVar

from curator.errors import ExitCode, MissingDependency

if TYPE_CHECKING:
    from pandas import DataFrame

    from curator.records.rejected import RejectedRecord
    from curator.records.values import JsonValue


class Result:
    """The base of every result; the command line only prints it.

    A dataclass that stores `warnings` or `rejected` as a required field writes `= field()` after it: otherwise
    dataclasses takes the property of this class as the default.
    """

    __slots__ = ()
    warnings_in_text: ClassVar[bool] = False
    """Whether `to_text` ends with the warnings; where it does not, the command prints them on stderr."""

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines, ready for JSON: the output of `--json`."""
        raise NotImplementedError

    def to_text(self) -> str:
        """Return the figures for people: the output of the command."""
        raise NotImplementedError

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that a user should read before relying on the result."""
        return ()

    @property
    def rejected(self) -> tuple[RejectedRecord, ...]:
        """The input records that could not be used, each with its place, the reason and a remedy."""
        return ()

    @property
    def exit_code(self) -> ExitCode:
        """The code that the command ends with."""
        return ExitCode.DONE

    def rejected_rows(self) -> list[JsonValue]:
        """Return `rejected` as every `--json` lists it."""
        return [{**record.to_dict()} for record in self.rejected]

    def _repr_html_(self) -> str:
        """Return the view of a notebook."""
        text = self.to_text()
        if not self.warnings_in_text:
            text = "\n".join([text, *(f"warning: {warning}" for warning in self.warnings)])
        return f"<pre>{escape(text)}</pre>"

    def as_json(self) -> dict[str, JsonValue]:
        """Return `to_dict()`: the old name, kept for one release."""
        warn_of_old_name("as_json", "to_dict")
        return self.to_dict()

    def as_text(self) -> str:
        """Return `to_text()`: the old name, kept for one release."""
        warn_of_old_name("as_text", "to_text")
        return self.to_text()


class TableResult(Result):
    """A result that is a table as well."""

    __slots__ = ()

    def table_rows(self) -> Sequence[Mapping[str, object]]:
        """Return the rows of the table, all with the same keys."""
        raise NotImplementedError

    def to_pandas(self) -> DataFrame:
        """Return the table as a pandas DataFrame.

        Raises:
            MissingDependency: pandas is not installed; no other part of curator needs it.
        """
        try:
            from pandas import DataFrame
        except ImportError as error:
            raise MissingDependency("pandas is not installed", remedy="install it: pip install pandas") from error
        return DataFrame([*self.table_rows()])


def warn_of_old_name(old: str, new: str) -> None:
    """Warn the caller of the function that calls this one."""
    warnings.warn(f"`{old}` is now `{new}`; the old name goes in 0.2", DeprecationWarning, stacklevel=3)


def renamed(old: str, new: str) -> property:
    """Return a property that reads the attribute `new` under its old name, with a warning."""

    def read(result: object) -> object:
        warn_of_old_name(old, new)
        return getattr(result, new)

    return property(read, doc=f"The old name of `{new}`, kept for one release.")
