"""Waits of a model that is not asked now: why, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from curator.progress import span, until
from curator.records import JsonValue
from curator.text.display import one_line

LEAST_S = 1.0
"""Shorter waits are part of the usual pace and are not shown."""
_REASON_CHARS = 120


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait of one model: its name, the reason, and the seconds that are left of it."""

    model: str
    reason: str
    seconds: float

    def in_words(self, now: float) -> str:
        """Return the wait for people; `now` is in seconds since 1970."""
        reason = one_line(self.reason, _REASON_CHARS)
        return f"{self.model!r} waits {span(self.seconds)}, until {until(now + self.seconds)}: {reason}"

    def facts(self, now: float) -> dict[str, JsonValue]:
        """Return the wait for machines."""
        ends = datetime.fromtimestamp(now + self.seconds, UTC).isoformat(timespec="seconds")
        return {"model": self.model, "reason": self.reason, "seconds": round(self.seconds, 1), "until": ends}
