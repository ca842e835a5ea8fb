"""`Estimator`, an entry of the registry, and `EstimatorInput`, the data that it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curator.answers.read import Answer, read_answer
from curator.disagreement.equivalence.comparers import Comparer, VectorComparer
from curator.disagreement.equivalence.word_kernel import word_distances
from curator.disagreement.estimators.likelihood import token_nll
from curator.disagreement.estimators.similarities import (
    cosine_similarities,
    jaccard_similarities,
    rouge_l_similarities,
)
from curator.records import Kind
from curator.records.recorded import Answered

Floats = NDArray[np.float64]
Need = Literal["classes", "distances", "texts", "vectors", "target", "logprobs", "json"]
"""An input that an estimator may need; `EstimatorInput.has` says when a case has it."""
Similarity = Literal["words", "rouge_l", "jaccard", "cosine"]
"""Ways to compare raw texts: a kernel of the different words, ROUGE-L, the Jaccard index, and the cosine of embeddings."""


@dataclass(frozen=True)
class EstimatorInput:
    """The answers to one case and what estimators derive from them.

    Derived values are computed once, when an estimator first needs them. Answers are sorted, so that their order does not change any value.

    Attributes:
        texts: the raw text of each answer.
        groups: the prompt identity of each answer (model and prompt variant).
        answers: each answer as read.
        target: production's answer as read; None where there is none.
        target_text: its raw text.
        logprobs: the log-probabilities of each answer's tokens; None for an answer without.
        compare: says which answers mean the same, and how far they are apart.
    """

    texts: Sequence[str]
    groups: Sequence[str]
    answers: Sequence[Answer]
    target: Answer | None
    target_text: str | None
    logprobs: Sequence[Sequence[float] | None]
    compare: Comparer

    @classmethod
    def of(
        cls,
        answers: Sequence[Answered],
        *,
        target: str | None,
        kind: Kind,
        labels: Sequence[str],
        input: str,
        compare: Comparer,
    ) -> EstimatorInput:
        """Read the answers to one case; the arguments are those of `signals.measure`."""
        ordered = sorted(answers, key=lambda answer: (answer.prompt_id, answer.text))
        texts = [answer.text for answer in ordered]
        distinct = dict.fromkeys(texts if target is None else [*texts, target])
        readings = {text: read_answer(text, kind, labels=labels, input=input) for text in distinct}
        return cls(
            texts=texts,
            groups=[answer.prompt_id for answer in ordered],
            answers=[readings[text] for text in texts],
            target=None if target is None else readings[target],
            target_text=target,
            logprobs=[answer.logprobs for answer in ordered],
            compare=compare,
        )

    def has(self, need: Need) -> bool:
        """True where the case has this input; classes, distances and texts are always there."""
        if need == "target":
            return self.target is not None
        if need == "vectors":
            return isinstance(self.compare, VectorComparer)
        if need == "logprobs":
            return all(self.logprobs)
        if need == "json":
            readable = [answer for answer in self.answers if answer.kind in ("json", "tool_call") and answer.key]
            return len(readable) > 1
        return True

    @cached_property
    def classes(self) -> Sequence[int]:
        """The meaning class of each answer."""
        return self._all_classes[: len(self.texts)]

    @property
    def target_class(self) -> int:
        """The meaning class of the target; needs a target."""
        return self._all_classes[-1]

    @cached_property
    def distances(self) -> Floats:
        """The comparer's distances (n, n) of the answers, in 0..1."""
        n = len(self.texts)
        return self._all_distances[:n, :n]

    @property
    def target_distances(self) -> Floats:
        """The comparer's distance (n,) of each answer to the target; needs a target."""
        return self._all_distances[-1, :-1]

    def similarities(self, by: Similarity) -> Floats:
        """The similarities (n, n) of the answers' raw texts, in 0..1."""
        n = len(self.texts)
        return self._similarities_of_all(by)[:n, :n]

    def target_similarities(self, by: Similarity) -> Floats:
        """The similarity (n,) of each answer's raw text to the target's; needs a target."""
        return self._similarities_of_all(by)[-1, :-1]

    @property
    def loglikelihoods(self) -> Sequence[float]:
        """The log-likelihood per token of each answer; needs log-probabilities of all answers."""
        return [-token_nll(logprobs or ()) for logprobs in self.logprobs]

    def vectors_of(self, texts: Sequence[str]) -> Floats:
        """The embeddings (n, d) of the texts; needs a comparer by vectors."""
        if not isinstance(self.compare, VectorComparer):
            raise TypeError("only answers that are compared by vectors have embeddings")
        return np.asarray(self.compare.vectors(texts), dtype=np.float64)

    @cached_property
    def _all_classes(self) -> Sequence[int]:
        return self.compare.classes(self.answers, self.target)

    @cached_property
    def _all_distances(self) -> Floats:
        return self.compare.distances(self.answers, self.target)

    @cached_property
    def _matrices(self) -> dict[Similarity, Floats]:
        return {}

    def _similarities_of_all(self, by: Similarity) -> Floats:
        """The similarities of all raw texts, the target's last."""
        if by not in self._matrices:
            texts = self.texts if self.target_text is None else [*self.texts, self.target_text]
            self._matrices[by] = cosine_similarities(self.vectors_of(texts)) if by == "cosine" else _BY_TEXT[by](texts)
        return self._matrices[by]


def _word_kernel_similarities(texts: Sequence[str]) -> Floats:
    return 1 - word_distances(texts)


_BY_TEXT: Mapping[str, Callable[[Sequence[str]], Floats]] = {
    "words": _word_kernel_similarities,
    "rouge_l": rouge_l_similarities,
    "jaccard": jaccard_similarities,
}


@dataclass(frozen=True, slots=True)
class Estimator:
    """One entry of `ESTIMATORS`: a measure of one case's disagreement; higher is more.

    Attributes:
        function: computes the value of a case that has all it `needs`, and two answers or more.
        version: raised whenever a value changes.
        needs: the inputs that the function reads.
        meaning: one line on what the value says.
        source: the publication of the formula; "" where it follows from the definition.
        lowest: the smallest value; None without a bound.
        highest: the largest value; None without a bound.
        on_agreement: the value where all answers (and the target) are the same; None where that is not one number.
    """

    function: Callable[[EstimatorInput], float]
    version: int
    needs: tuple[Need, ...]
    meaning: str
    source: str = ""
    lowest: float | None = 0.0
    highest: float | None = 1.0
    on_agreement: float | None = 0.0

    def value(self, case: EstimatorInput) -> float | None:
        """Return the value of a case; None with fewer than two answers or without a needed input."""
        if len(case.texts) < 2 or not all(case.has(need) for need in self.needs):
            return None
        return self.function(case)
