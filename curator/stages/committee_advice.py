"""Advice on the committee from recorded answers: some are left out, and scores compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum
from typing import TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from curator.disagreement.calibration import auroc
from curator.disagreement.recorded import score_record
from curator.disagreement.scoring_model import ScoringModel, fit_tasks
from curator.estimation.committee_design import (
    DRAWS,
    LEAST_CASES,
    LEAST_SEATS,
    PARTS,
    Cell,
    Committee,
    NoiseModel,
    Seat,
    attenuated_auroc,
    draw_parts,
    fit_noise,
    with_interval,
)
from curator.records import JsonValue
from curator.records.committee_advice import (
    Addition,
    AdditionName,
    CommitteeAdvice,
    Interval,
    NoiseSource,
    PartSize,
)
from curator.records.recorded import Answered, Recorded
from curator.run_folder.recorded import read_record
from curator.stats import rounded

SAMPLED_CASES = 200
"""Cases whose scores by parts of the committee are compared: a rank correlation is known to .07 or better then."""
SAMPLED_LABELS = 500
"""Labelled cases that are scored by parts of the committee, at most."""
MOST_CHARACTERS = 500_000
"""Characters of all answers to the compared cases, at most: long texts take a hundred times as long as labels."""
FEWEST_CASES = 60
"""Cases that are compared however long their answers are, by half as many parts of the committee."""
LEAST_OF_EACH = 10
"""With fewer failures or passes no AUROC is reported."""
USUAL = 0.5
"""A seat counts if at least this share of the cases has an answer in it, a part if the case has this share of its answers."""
WORTH = 0.01
"""The smallest gain in reliability that is worth advice, where there are no labels."""
WORTH_AUROC = 0.005
"""The smallest gain in AUROC that is worth advice, where there are labels."""
REPEATS = 2
"""Answers that the first addition adds to each cell."""
NOT_MEASURED: Mapping[AdditionName, str] = {
    "2 repeats per variant": "not measured: no prompt was asked twice",
    "1 variant": "not measured: no model was asked with two variants",
    "1 model": "not measured: one model was asked",
}
_FACETS: Mapping[AdditionName, str] = {"2 repeats per variant": "repeat", "1 variant": "variant", "1 model": "model"}

T = TypeVar("T")
Floats = NDArray[np.float64]
ScorePart = Callable[[Recorded], float | None]
"""Scores a record that has some of its answers; None without a score."""


@dataclass(frozen=True, slots=True)
class AdviceInput:
    """The recorded answers of a committee, and what is known about them.

    Attributes:
        sample: cases to compare scores of, an even sample.
        cases: the number of all cases that the committee is asked about.
        wrong: whether production's answer is wrong, by the id of a labelled case.
        labelled: the labelled cases.
        weights: the number of cases that each labelled one represents.
        usd_per_answer: the mean cost of an answer by model, in US dollars; empty where it is not known.
    """

    sample: Sequence[Recorded]
    cases: int
    wrong: Mapping[str, bool] = field(default_factory=dict)
    labelled: Sequence[Recorded] = ()
    weights: Sequence[float] = ()
    usd_per_answer: Mapping[str, float] = field(default_factory=dict)


def advise_on_committee(given: AdviceInput, score: ScorePart, *, seed: int = 0) -> CommitteeAdvice:
    """Predict the gain from 2 more repeats, a further variant and a further model.

    Parts of the committee score the same cases; `estimation.committee_design` says what is fitted to their rank
    correlations. The AUROC follows from the reliability (`attenuated_auroc`), and is also measured by size of the part.
    """
    rng = np.random.default_rng(seed)
    limit = _most_cases([*given.labelled, *given.sample])
    labelled = given.labelled[: min(SAMPLED_LABELS, limit)]
    ids = {record.id for record in labelled}
    sample = [record for record in given.sample if record.id not in ids]
    records = [*labelled, *_spread(sample, max(0, min(SAMPLED_CASES, limit) - len(labelled)))]
    seated = [_seats(record.answers) for record in records]
    seats = _usual_seats(seated)
    reason = f"at least {LEAST_CASES} cases with {LEAST_SEATS} answers are needed, of {len(records)} in all"
    if len(records) < LEAST_CASES or len(seats) < LEAST_SEATS:
        return CommitteeAdvice("not enough data", reason=reason)
    parts = draw_parts(seats, rng, number=PARTS if limit >= SAMPLED_CASES else PARTS // 2)
    scores = np.array([_part_scores(part, records, seated, score) for part in parts])
    noise = fit_noise(parts, scores, rng)
    if noise is None:
        return CommitteeAdvice("not enough data", reason=f"the scores of fewer than {LEAST_CASES} cases differ")
    truth = _Truth.of(given, score, rng)
    committee = _committee(seated)
    present = noise.reliability(committee)
    additions = tuple(_addition(name, noise, committee, given, truth) for name in _FACETS)
    advice = CommitteeAdvice(
        verdict="enough",
        cases=noise.cases,
        answers=rounded(fsum(committee.values())),
        noise=_sources(noise, seats),
        error=rounded(noise.error),
        reliability=present,
        labels=len(given.labelled),
        failures=sum(given.wrong[record.id] for record in given.labelled),
        auroc=None if truth is None else truth.auroc,
        sizes=_sizes(parts, scores, noise, given, len(labelled)),
        additions=additions,
    )
    return _decided(advice)


def advise_on_run(rows: Sequence[Mapping[str, JsonValue]], costs: Iterable[tuple[str, float, int]]) -> CommitteeAdvice:
    """Advise on a run's committee without labels, from the rows of `recorded.jsonl`.

    Answers are compared by words, whatever the run compares them by, so that no model is asked. `costs` has the model, the
    cost and the answers of each member.
    """
    sample = [read_record(orjson.dumps(row)) for row in _spread(rows, SAMPLED_CASES)]
    given = AdviceInput(sample, len(rows), usd_per_answer=mean_cost_by_model(costs))
    model = ScoringModel(fit_tasks(sample))
    return advise_on_committee(given, lambda record: score_record(record, model=model).disagreement)


def mean_cost_by_model(costs: Iterable[tuple[str, float, int]]) -> dict[str, float]:
    """Return the mean cost of an answer by model, of the model, cost and answers of each member."""
    usd: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    for model, cost, number in costs:
        usd[model] += cost  # type: ignore[assignment]  # dollars
        answers[model] += number
    return {model: usd[model] / answers[model] for model in answers if answers[model]}


def _decided(advice: CommitteeAdvice) -> CommitteeAdvice:
    """Choose the addition that gains most for a dollar, or for a call where costs are not known."""
    measured = [addition for addition in advice.additions if addition.gain is not None]
    if advice.auroc is not None and advice.auroc.low <= 0.5:
        return replace(advice, verdict="no better than chance")
    priced = all(addition.usd for addition in measured)

    def rate(addition: Addition) -> float:
        gain = addition.gain.value if addition.gain else 0.0
        return gain / ((addition.usd if priced else None) or addition.answers)

    def worth(addition: Addition) -> bool:
        if advice.auroc is not None and addition.auroc is not None:
            return addition.auroc.value - advice.auroc.value >= WORTH_AUROC
        return addition.gain is not None and addition.gain.value >= WORTH

    good = [addition for addition in measured if worth(addition)]
    best = max(good or measured, key=rate)
    return replace(advice, verdict="add" if good else "enough", best=best)


@dataclass(frozen=True)
class _Truth:
    """The AUROC of the whole committee's score, with its bootstrap draws."""

    auroc: Interval
    draws: Floats

    @classmethod
    def of(cls, given: AdviceInput, score: ScorePart, rng: np.random.Generator) -> _Truth | None:
        scores = np.array([np.nan if (s := score(record)) is None else s for record in given.labelled])
        kept = np.isfinite(scores)
        wrong = np.array([given.wrong[record.id] for record in given.labelled], dtype=bool)[kept]
        if min(wrong.sum(), (~wrong).sum()) < LEAST_OF_EACH:
            return None
        weights = (np.array(given.weights) if given.weights else np.ones(len(kept)))[kept]
        values = auroc(scores[kept], wrong, _resampled(weights, rng))
        return cls(with_interval(float(values[0]), values[1:]), values[1:])

    def at(self, noise: NoiseModel, before: Committee, after: Committee) -> Interval:
        """Return the expected AUROC of another committee."""
        levels = (noise.draws_of_reliability(before), noise.draws_of_reliability(after))
        draws = [attenuated_auroc(area, x, y) for area, x, y in zip(self.draws, *levels, strict=True)]
        now, then = (noise.reliability(committee).value for committee in (before, after))
        return with_interval(attenuated_auroc(self.auroc.value, now, then), np.array(draws))


def _resampled(weights: Floats, rng: np.random.Generator) -> Floats:
    """Return the weights, and those of bootstrap samples, (1 + draws, n)."""
    n = len(weights)
    drawn: Floats = np.vstack([np.ones(n), rng.multinomial(n, np.full(n, 1 / n), size=DRAWS)]) * weights
    return drawn


def _spread(records: Sequence[T], number: int) -> Sequence[T]:
    if len(records) <= number:
        return records
    return [records[place] for place in np.linspace(0, len(records) - 1, number).astype(int)] if number else []


def _most_cases(records: Sequence[Recorded]) -> int:
    """Return the number of cases whose answers have `MOST_CHARACTERS`, at least `FEWEST_CASES`."""
    characters = sum(len(answer.text) for record in records for answer in record.answers)
    return max(FEWEST_CASES, MOST_CHARACTERS * len(records) // max(characters, 1))


def _seats(answers: Iterable[Answered]) -> dict[Seat, Answered]:
    """Number the answers of each model and prompt."""
    counts: Counter[Cell] = Counter()
    seated: dict[Seat, Answered] = {}
    for answer in answers:
        cell = (answer.model, answer.prompt_id)
        seated[Seat(*cell, counts[cell])] = answer
        counts[cell] += 1
    return seated


def _usual_seats(seated: Sequence[Mapping[Seat, Answered]]) -> list[Seat]:
    counts = Counter(seat for of_case in seated for seat in of_case)
    return sorted(seat for seat, count in counts.items() if count >= USUAL * len(seated))


def _committee(seated: Sequence[Mapping[Seat, Answered]]) -> Committee:
    """Return the mean number of answers of each cell, without cells that most cases lack."""
    usual = {seat[:2] for seat in _usual_seats(seated)}
    counts = Counter(seat[:2] for of_case in seated for seat in of_case)
    return {cell: counts[cell] / len(seated) for cell in sorted(usual)}


def _part_scores(
    part: Sequence[Seat], records: Sequence[Recorded], seated: Sequence[Mapping[Seat, Answered]], score: ScorePart
) -> list[float]:
    """Return the score of each case by a part of the committee; NaN where most answers lack."""
    scores = []
    for record, answers in zip(records, seated, strict=True):
        present = tuple(answers[seat] for seat in part if seat in answers)
        value = score(replace(record, answers=present)) if len(present) >= max(2, USUAL * len(part)) else None
        scores.append(np.nan if value is None else value)
    return scores


def _sources(noise: NoiseModel, seats: Sequence[Seat]) -> tuple[NoiseSource, ...]:
    answers = len(seats)
    units = {
        "model": len({seat.model for seat in seats}),
        "variant": len({seat[:2] for seat in seats}),
        "repeat": answers,
        "pair": answers * (answers - 1) // 2,
    }
    return tuple(
        NoiseSource(name, units[name], rounded(ratio))
        for name, ratio in zip((*noise.facets, "pair"), noise.ratios, strict=True)
    )


def _addition(
    name: AdditionName, noise: NoiseModel, committee: Committee, given: AdviceInput, truth: _Truth | None
) -> Addition:
    after, by_model = _enlarged(name, committee)
    answers = fsum(by_model.values())
    usd = given.usd_per_answer
    mean_usd = fsum(usd.values()) / len(usd) if usd else 0.0
    cost = fsum(number * usd.get(model, mean_usd) for model, number in by_model.items()) * given.cases
    measured = _FACETS[name] in noise.facets
    return Addition(
        name=name,
        answers=rounded(answers),
        calls=round(answers * given.cases),
        usd=rounded(cost) if usd else None,
        reliability=noise.reliability(after) if measured else None,
        gain=noise.gain(committee, after) if measured else None,
        auroc=truth.at(noise, committee, after) if measured and truth else None,
        reason="" if measured else NOT_MEASURED[name],
    )


def _enlarged(name: AdditionName, committee: Committee) -> tuple[Committee, dict[str, float]]:
    """Return the enlarged committee, and the further answers to a case by model, "" if new."""
    models = sorted({model for model, _ in committee})
    mean = fsum(committee.values()) / len(committee)
    new: dict[Cell, float]
    if name == "2 repeats per variant":
        more = Counter({model: float(REPEATS * sum(cell[0] == model for cell in committee)) for model in models})
        return {cell: number + REPEATS for cell, number in committee.items()}, dict(more)
    if name == "1 variant":
        new = {(model, "new variant"): mean for model in models}
        return {**committee, **new}, dict.fromkeys(models, mean)
    variants = len(committee) / len(models)
    new = {("new model", str(number)): mean for number in range(round(variants))}
    return {**committee, **new}, {"": mean * len(new)}


def _sizes(
    parts: Sequence[Sequence[Seat]], scores: Floats, noise: NoiseModel, given: AdviceInput, labelled: int
) -> tuple[PartSize, ...]:
    """Sum the parts up by their number of answers; the first `labelled` cases have a label."""
    wrong = np.array([given.wrong[record.id] for record in given.labelled[:labelled]], dtype=bool)
    weights = np.array(given.weights[:labelled]) if given.weights else np.ones(labelled)
    by_size: dict[int, list[int]] = {}
    for place, part in enumerate(parts):
        by_size.setdefault(len(part), []).append(place)
    sizes = []
    for answers, places in sorted(by_size.items()):
        pairs = [(i, j) for i in places for j in places if i < j and np.isfinite(noise.measured[i, j])]
        measured = rounded(fsum(noise.measured[pair] for pair in pairs) / len(pairs)) if pairs else None
        fitted = rounded(fsum(noise.fitted[pair] for pair in pairs) / len(pairs)) if pairs else None
        area = _mean_auroc(scores[places, :labelled], wrong, weights)
        sizes.append(PartSize(answers, len(places), measured, fitted, area))
    return tuple(sizes)


def _mean_auroc(scores: Floats, wrong: NDArray[np.bool_], weights: Floats) -> Interval | None:
    """Return the mean AUROC of several scores of the same cases, over those that all have."""
    kept = np.isfinite(scores).all(axis=0)
    if min((wrong & kept).sum(), (~wrong & kept).sum()) < LEAST_OF_EACH:
        return None
    drawn = _resampled(weights[kept], np.random.default_rng(0))
    areas = np.mean([auroc(row[kept], wrong[kept], drawn) for row in scores], axis=0)
    return with_interval(float(areas[0]), areas[1:])
