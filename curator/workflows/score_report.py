"""The figures of a file of scores, and the reasons to mistrust them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Generic, NamedTuple, TypeVar

from curator.answers.normalization import answer_part, refuses
from curator.disagreement.equivalence.comparers import ComparerFactory, WordComparer
from curator.disagreement.ground_truth import failure_of_record
from curator.records import SLICES, JsonValue, Score, ScoreQuality, Slice
from curator.records.recorded import Recorded
from curator.report.format import NO_DATA, percent
from curator.report.score_quality import quality_sentences
from curator.stages.measure_score import Draw, RankedCase, measure_score
from curator.stats import MIN_FOR_CORRELATION, UNANIMOUS, Figure, share, spearman
from curator.text.display import plural

T = TypeVar("T")
MUCH_THE_SAME = 0.8
"""A rank correlation from which on two rankings put four of five pairs in the same order, ties aside (normal scores)."""
LENGTHS_KEPT = 2000
"""Records, to twice as many, that the correlation is taken over: it is known to a twentieth then."""


class Seen(NamedTuple):
    """The parts of a record for the figures; `length` is the mean of its answers' characters.

    `deterministic`: its answers are repeats of one prompt of one model at temperature 0. `silent`, `refused`: production's
    answer is empty, or a refusal. `label` is None without one.
    """

    score: float | None
    length: float
    unanimous: bool
    deterministic: bool
    silent: bool = False
    refused: bool = False
    label: SeenLabel | None = None


class SeenLabel(NamedTuple):
    """The label of a record: the failure of the answer in question, and the draw of its case.

    `slice` is None where the record does not say.
    """

    case_id: str
    task: str
    failure: float
    slice: Slice | None
    probability: float


def see(record: Recorded, score: Score, comparer: ComparerFactory = WordComparer) -> Seen:
    """Reduce a record and its score to the parts that the figures need."""
    answers = record.answers
    return Seen(
        score=score.disagreement,
        length=sum(len(answer.text) for answer in answers) / len(answers) if answers else 0.0,
        unanimous=score.agreement is not None and score.agreement >= UNANIMOUS,
        deterministic=all(answer.temperature == 0 for answer in answers)
        and len({answer.prompt_id for answer in answers}) == 1,
        silent=record.target is not None and not answer_part(record.target),
        refused=record.target is not None and refuses(answer_part(record.target)),
        label=None if score.disagreement is None else _label(replace(record, kind=score.kind), comparer),
    )


def _label(record: Recorded, comparer: ComparerFactory) -> SeenLabel | None:
    """Read the label of a record.

    Corrections and teachers' answers do not represent the records. Without a verdict free text decides nothing: in other words it may say the same.
    """
    if record.reference_source not in (None, "label"):
        return None
    failure = record.failure
    if failure is None and record.reference and record.kind != "text":
        failure = failure_of_record(record, record.reference, comparer(record.question))
    if failure is None:
        return None
    slice_ = next((name for name in SLICES if name == record.reference_slice), None)
    return SeenLabel(record.id, record.task, failure, slice_, record.reference_probability)


@dataclass(frozen=True, slots=True)
class ScoreFigures:
    """The scored records as a whole.

    Attributes:
        compared: records with two answers or more; the others have no score.
        too_few: the others.
        unanimous: how many of `compared` have answers that all say the same.
        deterministic: how many of `compared` have nothing but repeats of one prompt of one model at temperature 0.
        silent: how many of `compared` have an empty answer of production.
        refused: how many of `compared` have a refusal of production.
        length: Spearman's correlation of the score with the mean length of the answers, over a spread of `compared`.
        quality: of the score, over a spread of the records with a label; None without a label that was drawn at random.
    """

    compared: int = 0
    too_few: int = 0
    unanimous: int = 0
    deterministic: int = 0
    silent: int = 0
    refused: int = 0
    length: Figure = field(default_factory=lambda: Figure(None, 0))
    quality: ScoreQuality | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each reason to mistrust the scores."""
        return tuple(self._warnings())

    def _warnings(self) -> Iterator[str]:
        if self.deterministic:
            which = (
                "all records"
                if self.deterministic == self.compared
                else f"{self.deterministic:,} of {plural(self.compared, 'record')}"
            )
            yield (
                f"the answers of {which} are repeats of one prompt at temperature 0, which carry no signal: that they agree"
                " is not evidence that they are right; ask at a higher temperature, or with more prompt variants"
            )
        if self.length.value is not None and abs(self.length.value) >= MUCH_THE_SAME:
            yield (
                "the length of the answers alone would rank the records much the same"
                f"{'' if self.length.value > 0 else ', shortest first'} (Spearman {self.length.value:+.2f})"
            )
        if self.quality is not None and self.quality.pooled.verdict == "not better than chance":
            yield "by the labels of the records the score is not better than chance: do not select by it"

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines; shares are of the records with two answers or more."""
        return {
            "too_few_answers": self.too_few,
            "repeats_at_temperature_0": self.deterministic,
            "unanimous": self.unanimous,
            "production_empty": self.silent,
            "production_refused": self.refused,
            "unanimous_share": share(self.unanimous, self.compared) if self.compared else None,
            "length_spearman": self.length.value,
            "length_n": self.length.n,
            "score_quality": asdict(self.quality) if self.quality else None,
        }

    def _rho(self) -> str:
        if self.length.value is not None:
            return f"{self.length.value:+.2f}"
        return NO_DATA if self.length.n < MIN_FOR_CORRELATION else "none, as scores or lengths are all the same"

    def to_text(self) -> str:
        """Return the figures for people."""
        few = f"{self.too_few:,} with too few answers; " if self.too_few else ""
        same = f" ({percent(share(self.unanimous, self.compared))})" if self.compared else ""
        rho = self._rho()
        apart = "".join(
            f" production's answer is {what} in {count:,};"
            for what, count in (("empty", self.silent), ("a refusal", self.refused))
            if count
        )
        return (
            f"{few}{self.unanimous:,} of {self.compared:,} unanimous{same}, which may be wrong all the same;{apart}"
            f" Spearman with the length of the answers: {rho} (n={self.length.n:,})"
            + "".join(f"\n{line}" for line in (quality_sentences(self.quality) if self.quality else ()))
        )


class Spread(Generic[T]):
    """An even sample of a stream: all of a few items, and `least` to twice as many of more.

    Where items have a `size`, fewer are kept if need be, so that they do not come to more than `most`.
    """

    def __init__(self, least: int, *, most: int | None = None, size: Callable[[T], int] = lambda _: 0) -> None:
        self.kept: list[T] = []
        self._least, self._most, self._size = least, most, size
        self._seen, self._step, self._total = 0, 1, 0

    def add(self, item: T) -> None:
        """Take the next item in."""
        if self._seen % self._step == 0:
            self.kept.append(item)
            self._total += self._size(item)
        self._seen += 1
        while len(self.kept) > 2 * self._least or self._too_large():
            self.kept, self._step = self.kept[::2], 2 * self._step
            self._total = sum(map(self._size, self.kept))

    def _too_large(self) -> bool:
        return self._most is not None and self._total > self._most and len(self.kept) > 1


class Watch:
    """Sums up what is seen of the records while they stream by, in constant memory."""

    def __init__(self) -> None:
        self._compared = self._too_few = self._unanimous = self._deterministic = self._silent = self._refused = 0
        self._pairs: Spread[tuple[float, float]] = Spread(LENGTHS_KEPT)
        self._labelled: Spread[tuple[RankedCase, SeenLabel]] = Spread(LENGTHS_KEPT)

    def add(self, seen: Seen) -> None:
        """Take the next record in."""
        if seen.score is None:
            self._too_few += 1
            return
        self._compared += 1
        self._unanimous += seen.unanimous
        self._deterministic += seen.deterministic
        self._silent += seen.silent
        self._refused += seen.refused
        self._pairs.add((seen.score, seen.length))
        if seen.label is not None:
            ranked = RankedCase(seen.label.case_id, seen.score, seen.length, seen.label.task, "")
            self._labelled.add((ranked, seen.label))

    def figures(self) -> ScoreFigures:
        """Return the figures of the records so far."""
        scores, lengths = zip(*self._pairs.kept, strict=True) if self._pairs.kept else ((), ())
        return ScoreFigures(
            self._compared,
            self._too_few,
            self._unanimous,
            self._deterministic,
            self._silent,
            self._refused,
            length=spearman(scores, lengths),
            quality=self._quality(),
        )

    def _quality(self) -> ScoreQuality | None:
        labels = [label for _, label in self._labelled.kept]
        unnamed: Slice | None = None if any(label.slice for label in labels) else "random"
        named = {label.case_id: (label.slice or unnamed, label.probability) for label in labels}
        draws = {i: Draw(slice_, probability) for i, (slice_, probability) in named.items() if slice_ is not None}
        ranked = {case.id: case for case, _ in self._labelled.kept}
        return measure_score(ranked, {label.case_id: label.failure for label in labels}, draws)
