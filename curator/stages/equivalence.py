"""Comparers of answers by vectors, an NLI model or a judge, for a run and for a stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.committee.judge import Verdict
from curator.committee.question_prompt import QuestionPrompt
from curator.config import EmbeddingConfig, EquivalenceConfig
from curator.disagreement.equivalence.comparers import (
    ComparerFactory,
    VectorComparer,
    VerdictComparer,
    WordComparer,
    compared_texts,
    open_pairs,
)
from curator.disagreement.equivalence.leader_clustering import Pair
from curator.disagreement.members.case_answers import ComparableCase
from curator.encoders.nli import NliModel
from curator.encoders.sentence import Encoder, embed, open_encoder
from curator.errors import ConfigError
from curator.progress import Progress, Silent
from curator.state.vectors import VectorCache
from curator.text.display import plural


@dataclass(frozen=True, slots=True)
class JudgeUsage:
    """The judge's work in a run.

    `pairs` that it decided, and those `undecided`: left to words because its replies were no verdicts, by reason. `usd`
    is what all these verdicts cost, stored ones included; `sent` and `from_store` count as for the committee.
    """

    prompt: QuestionPrompt
    model: str
    pairs: int
    undecided: Mapping[str, int]
    usd: float
    sent: int
    from_store: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence on the pairs without a verdict; () where the judge decided all."""
        if not self.undecided:
            return ()
        count, usual = sum(self.undecided.values()), max(self.undecided, key=lambda r: (self.undecided[r], r))
        return (
            f"the judge gave no verdict on {count:,} of {plural(self.pairs, 'pair')}, which words decided ({usual})",
        )


class JudgeQueue:
    """The pairs that a judge is asked about, round by round, and its verdicts."""

    def __init__(self, compared: Sequence[ComparableCase], *, pairs_per_case: int) -> None:
        self._compared = compared
        self._limit = pairs_per_case
        self._asked: Counter[str] = Counter()
        self._known: dict[Pair, bool | None] = {}

    def next_pairs(self) -> tuple[Pair, ...]:
        """Return the pairs to ask about now; () once all are decided or each case reached its limit."""
        wanted: dict[Pair, None] = {}
        for case in self._compared:
            while pairs := open_pairs(case.answers, case.target, case.question, self._known, label=case.label):
                new = [pair for pair in pairs if pair not in wanted]
                room = self._limit - self._asked[case.case_id]
                self._asked[case.case_id] += len(new[:room])
                wanted |= dict.fromkeys(new[:room])
                self._known |= dict.fromkeys(new[room:])
                if not wanted.keys().isdisjoint(pairs):
                    break  # it goes on when these are decided
        return tuple(wanted)

    def learn(self, verdicts: Mapping[Pair, Verdict]) -> None:
        """Record the verdicts of the judge."""
        self._known |= {pair: verdict.same for pair, verdict in verdicts.items()}

    def comparer(self, name: str) -> ComparerFactory:
        """Return a comparer by the verdicts so far; words decide the other pairs."""

        def decide(pairs: Sequence[Pair]) -> dict[Pair, bool | None]:
            return {pair: self._known.get(pair) for pair in pairs}

        return partial(VerdictComparer, decide=decide, name=name)


def by_embedding(
    compared: Iterable[ComparableCase], encoder: Encoder, cache: VectorCache, *, progress: Progress
) -> ComparerFactory:
    """Return a comparer by vectors, which are made now, in one pass over all texts."""
    wanted = (text for case in compared for text in compared_texts(case.answers, case.target, label=case.label))
    texts = list(dict.fromkeys(wanted))
    vector_of = dict(zip(texts, embed(texts, encoder, cache, progress=progress), strict=True))

    def vectors(wanted: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([vector_of[text] for text in wanted])

    return partial(VectorComparer, vectors=vectors, name=f"embedding({encoder.name})")


def by_nli(model: NliModel) -> ComparerFactory:
    """Return a comparer by an NLI model, which runs whenever answers are compared."""
    return partial(VerdictComparer, decide=model.decide, name=f"nli({model.name})")


@contextmanager
def open_comparer(
    config: EquivalenceConfig,
    embedding: EmbeddingConfig,
    *,
    cache: Path,
    encoder: Encoder | None = None,
    nli: NliModel | None = None,
) -> Iterator[ComparerFactory]:
    """Open the comparer for a stream of records, as in `curator score`.

    `cache` keeps vectors; `encoder` and `nli` are models that are open already.

    Raises:
        ConfigError: the method is `judge`, which only a run can pay for.
        MissingDependency: the model is not there.
    """
    if config.method == "judge":
        raise ConfigError(
            "recorded answers cannot be compared by a judge: `curator score` calls no model that costs",
            remedy="take `lexical`, `embedding` or `nli`, or run the job with `equivalence: {method: judge}`",
        )
    if config.method == "nli" and config.nli_model:
        if nli is None:
            nli = NliModel(config.nli_model)
            nli.load()
        yield by_nli(nli)
    elif config.method == "embedding":
        encoder = encoder or open_encoder(embedding)
        with VectorCache(cache) as kept:

            def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
                return embed(texts, encoder, kept, progress=Silent())

            yield partial(VectorComparer, vectors=vectors, name=f"embedding({encoder.name})")
    else:
        yield WordComparer
