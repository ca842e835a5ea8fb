"""Pseudonyms back to the personal data that they replaced."""

from __future__ import annotations

from collections.abc import Mapping

_HEAD = 4


class Restorer:
    """Turns texts back by the map of pseudonyms, in the same time for every size of it."""

    def __init__(self, originals: Mapping[str, str]) -> None:
        self._originals = originals
        lengths: dict[str, set[int]] = {}
        for pseudonym in originals:
            lengths.setdefault(pseudonym[:_HEAD], set()).add(len(pseudonym))
        self._lengths = {head: sorted(sizes, reverse=True) for head, sizes in lengths.items()}

    def text(self, text: str) -> str:
        """Return the text with originals for pseudonyms that are whole words.

        Marks of secrets stay.
        """
        parts: list[str] = []
        last = at = 0
        while at < len(text):
            pseudonym = self._at(text, at)
            if pseudonym is None:
                at += 1
                continue
            parts += (text[last:at], self._originals[pseudonym])
            last = at = at + len(pseudonym)
        return "".join([*parts, text[last:]])

    def _at(self, text: str, place: int) -> str | None:
        """The longest pseudonym that begins here."""
        for length in self._lengths.get(text[place : place + _HEAD], ()):
            end = place + length
            alone = not (text[place - 1 : place].isalnum() or text[end : end + 1].isalnum())
            if alone and text[place:end] in self._originals:
                return text[place:end]
        return None
