"""Find the training rows that ask a held-out question: first by wording, then by meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from curator.config import DedupeConfig, HeldOutConfig
from curator.contamination.meaning import Vectors, embedded_text, paraphrases, translations
from curator.contamination.records import HeldText, Match, TrainingRow
from curator.contamination.wording import WordingIndex
from curator.text.slots import has_own_words, readable_values

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""A function from n texts to unit vectors, (n, d)."""


def find_leaks(
    rows: Sequence[TrainingRow],
    held: Sequence[HeldText],
    *,
    dedupe: DedupeConfig,
    rules: HeldOutConfig,
    embed: Embed | None,
    meant: Sequence[HeldText] | None = None,
) -> tuple[Match, ...]:
    """Find the rows that ask a held-out question again, with the strongest evidence of each.

    Args:
        rows: that might be trained on; their ids are unique.
        held: the held-out texts.
        dedupe: the threshold of near-duplicate wordings.
        rules: the other kinds of evidence to search for.
        embed: turns questions into vectors; None to skip paraphrases. It is called once, for the held-out texts and for the
            rows without a match by wording.
        meant: those of `held` whose paraphrases are searched for; all by default.

    Returns:
        One match per matching row, in the order of the rows.
    """
    wording = WordingIndex(held, similarity=dedupe.same_group, permutations=dedupe.permutations)
    matches = wording.find(rows)
    rest = [row for row in rows if row.id not in matches]
    # requests that one template made mean something else where their values differ, however near their vectors are
    rest = [replace(row, questions=tuple(filter(has_own_words, row.questions))) for row in rest]
    meant = [text for text in (held if meant is None else meant) if has_own_words(text.text)]
    if embed is not None and rules.paraphrases and rest and meant:
        matches |= paraphrases(rest, meant, vectors_of(rest, meant, embed), threshold=rules.paraphrase_similarity)
        rest = [row for row in rest if row.id not in matches]
    if rules.translations:
        matches |= translations(rest, held)
    return tuple(matches[row.id] for row in rows if row.id in matches)


def vectors_of(rows: Sequence[TrainingRow], held: Sequence[HeldText], embed: Embed) -> Vectors:
    """Embed the held-out texts and every question in one call."""
    texts = [text.text for text in held]
    texts += [question for row in rows for question in row.questions]
    vectors = embed([embedded_text(readable_values(text)) for text in texts])
    return Vectors(vectors[: len(held)], vectors[len(held) :])
