"""Which rows may not be trained on, as they ask what is held out: wording first, then meaning, the surest evidence first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from curator.config import DedupeConfig, HeldOutConfig
from curator.contamination.meaning import Vectors, embedded_text, paraphrases, translations
from curator.contamination.records import HeldText, Match, Row
from curator.contamination.wording import Wording

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to unit vectors, (n, d)."""


def find_leaks(
    rows: Sequence[Row],
    held: Sequence[HeldText],
    *,
    dedupe: DedupeConfig,
    rules: HeldOutConfig,
    embed: Embed | None,
    meant: Sequence[HeldText] | None = None,
) -> tuple[Match, ...]:
    """The rows that ask a held-out question again, each with its surest evidence, in the order of the rows.

    Args:
        rows: what might be trained on; their ids are unique.
        held: what is held out.
        dedupe: when two wordings are near-duplicates.
        rules: what else is looked for.
        embed: what turns questions into vectors; None where paraphrases are not looked for. It is asked once, and only
            for rows that the wording has not given away, and for what is held out.
        meant: those of `held` whose paraphrases are looked for; all of them by default.
    """
    wording = Wording(held, similarity=dedupe.same_group, permutations=dedupe.permutations)
    found = wording.find(rows)
    rest = [row for row in rows if row.id not in found]
    meant = held if meant is None else meant
    if embed is not None and rules.paraphrases and rest and meant:
        found |= paraphrases(rest, meant, vectors_of(rest, meant, embed), threshold=rules.paraphrase_similarity)
        rest = [row for row in rest if row.id not in found]
    if rules.translations:
        found |= translations(rest, held)
    return tuple(found[row.id] for row in rows if row.id in found)


def vectors_of(rows: Sequence[Row], held: Sequence[HeldText], embed: Embed) -> Vectors:
    """The vectors of the held-out texts and of every question, from one call."""
    texts = [text.text for text in held]
    texts += [question for row in rows for question in row.questions]
    vectors = embed([embedded_text(text) for text in texts])
    return Vectors(vectors[: len(held)], vectors[len(held) :])
