"""Records that are not cases: rejected ones with the reason, and duplicates of a kept case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curator.records.cases import Source
    from curator.records.values import MergeReason

MAX_REJECTED_SHARE = 0.2
"""A file of which a larger share is rejected counts as a file of another format: commands end with exit code 6."""


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that was set aside: its place, what is wrong with it, and what the user can do."""

    source: Source
    reason: str
    remedy: str

    def to_dict(self) -> dict[str, str]:
        """Return the row that every `--json` lists under `rejected`."""
        return {"at": str(self.source), "reason": self.reason, "remedy": self.remedy}


@dataclass(frozen=True, slots=True)
class OtherRecord:
    """A record that is understood and gives no case of its own.

    `what` names it in the plural: parts of a case that stands in another record (`documents of a retriever`, `user turns`), or
    records that ask no model (`agent spans`).
    """

    source: Source
    what: str


@dataclass(frozen=True, slots=True)
class IntakeCounts:
    """Counts of the logs beside those of records and cases.

    Attributes:
        earlier_turns: exchanges of conversations beyond one for each record.
        other_records: records that give no case of their own.
        failed_calls: logged calls without an answer because they failed.
        contradicted: questions to which production gave different answers.
    """

    earlier_turns: int = 0
    other_records: int = 0
    failed_calls: int = 0
    contradicted: int = 0


@dataclass(frozen=True, slots=True)
class DuplicateRecord:
    """A log record that a kept case (`into`) represents.

    `id` is the case id of the record itself; `similarity` is 1.0 for an exact duplicate.
    """

    source: Source
    id: str
    into: str
    how: MergeReason
    similarity: float


def too_many_rejected(rejected: int, total: int) -> bool:
    """Return whether more than `MAX_REJECTED_SHARE` of `total` records were rejected."""
    return rejected > MAX_REJECTED_SHARE * total
