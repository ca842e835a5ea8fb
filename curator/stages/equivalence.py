"""What means the same, found out beyond words: the methods of `equivalence:` for a whole run, and for a stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.committee.judge import JudgePrompt, Verdict
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
    """What the judge was asked in a run.

    `pairs` that it decided, and those `undecided`: left to words because its replies were no verdicts, by reason. `usd`
    is what all these verdicts cost, stored ones included; `sent` and `from_store` count as for the committee.
    """

    prompt: JudgePrompt
    model: str
    pairs: int
    undecided: Mapping[str, int]
    usd: float
    sent: int
    from_store: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of it."""
        if not self.undecided:
            return ()
        count, usual = sum(self.undecided.values()), max(self.undecided, key=lambda r: (self.undecided[r], r))
        return (
            f"the judge gave no verdict on {count:,} of {plural(self.pairs, 'pair')}, which words decided ({usual})",
        )


class JudgeQueue:
    """The pairs that a judge is asked about, round by round, and what it said."""

    def __init__(self, compared: Sequence[ComparableCase], *, pairs_per_case: int) -> None:
        self._compared = compared
        self._limit = pairs_per_case
        self._asked: Counter[str] = Counter()
        self._known: dict[Pair, bool | None] = {}

    def next_pairs(self) -> tuple[Pair, ...]:
        """The pairs to ask about now; none where all is decided, or every case has had as many as it may."""
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
        """Take in what the judge said of pairs."""
        self._known |= {pair: verdict.same for pair, verdict in verdicts.items()}

    def comparer(self, name: str) -> ComparerFactory:
        """Compares by what is known now; what is not decided is left to words."""

        def decide(pairs: Sequence[Pair]) -> dict[Pair, bool | None]:
            return {pair: self._known.get(pair) for pair in pairs}

        return partial(VerdictComparer, decide=decide, name=name)


def by_embedding(
    compared: Iterable[ComparableCase], encoder: Encoder, cache: VectorCache, *, progress: Progress
) -> ComparerFactory:
    """Compares by vectors, which are all made now: one pass over the texts of the run."""
    wanted = (text for case in compared for text in compared_texts(case.answers, case.target, label=case.label))
    texts = list(dict.fromkeys(wanted))
    known = dict(zip(texts, embed(texts, encoder, cache, progress=progress), strict=True))

    def vectors(wanted: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([known[text] for text in wanted])

    return partial(VectorComparer, vectors=vectors, name=f"embedding({encoder.name})")


def by_nli(model: NliModel) -> ComparerFactory:
    """Compares by an NLI model, which is run when answers are compared."""
    return partial(VerdictComparer, decide=model.decide, name=f"nli({model.name})")


@contextmanager
def open_comparer(
    config: EquivalenceConfig, embedding: EmbeddingConfig, *, cache: Path, encoder: Encoder | None = None
) -> Iterator[ComparerFactory]:
    """The comparer for records that stream by, as in `curator score`; vectors are kept in the file `cache`.

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
        model = NliModel(config.nli_model)
        model.load()
        yield by_nli(model)
    elif config.method == "embedding":
        found = encoder or open_encoder(embedding)
        with VectorCache(cache) as kept:

            def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
                return embed(texts, found, kept, progress=Silent())

            yield partial(VectorComparer, vectors=vectors, name=f"embedding({found.name})")
    else:
        yield WordComparer
