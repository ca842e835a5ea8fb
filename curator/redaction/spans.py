"""Places of sensitive text, and the choice among those that overlap."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """A place in a text. `secret` is False for personal data.

    `replacement` is set where the text is replaced by itself in another form, such as base64 of a redacted text.
    """

    start: int
    end: int
    kind: str
    secret: bool = True
    replacement: str | None = None


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, without those that overlap a better one.

    The widest stays, and a secret before personal data. A span that reaches beyond a better one keeps the part before and after it.
    """
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda s: (not s.secret, s.start - s.end, s.start, s.kind)):
        kept += _outside(span, kept)
    return sorted(kept)


def _outside(span: Span, kept: Iterable[Span]) -> list[Span]:
    """The parts of a span outside of the kept ones.

    Of personal data it is all or nothing, because its parts have no form.
    """
    parts = [span]
    for other in kept:
        if other.end <= span.start or span.end <= other.start:
            continue
        if not span.secret or span.replacement is not None:
            return []
        parts = [
            part._replace(start=start, end=end)
            for part in parts
            for start, end in ((part.start, min(part.end, other.start)), (max(part.start, other.end), part.end))
            if start < end
        ]
    return parts
