"""The change of a text, as the parts of a case and of a JSON value need it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """The change of a text, and of a text that has a name."""

    text: Callable[[str], str]
    named: Callable[[str, str], str]

    def optional(self, text: str | None) -> str | None:
        """Change a text if there is one."""
        return None if text is None else self.text(text)
