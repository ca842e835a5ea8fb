"""Labels of drawn cases to the quality of the score that ranked them.

Discovery takes the cases with high scores, and the random slice is drawn from the others. So the labels of the random slice
alone would judge the score on a narrowed range; both parts together represent the pool.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from curator.disagreement.score_quality import LabelledScore, score_quality
from curator.estimation.judge_quality import judge_quality
from curator.estimation.sample_design import Stage
from curator.records import (
    SLICES,
    Case,
    Generation,
    JudgeQuality,
    Kind,
    Pick,
    ScoreQuality,
    Slice,
    StrategyYield,
    task_name,
)
from curator.records.labels import HALF
from curator.run_folder.cases import CaseRow
from curator.run_folder.frozen_selection import FrozenSelection
from curator.stats import rounded


@dataclass(frozen=True, slots=True)
class Draw:
    """The draw of a selected case: its slice, inclusion probability, and round from 1."""

    slice: Slice
    probability: float
    stage: int = 1

    @classmethod
    def of(cls, pick: Pick) -> Draw:
        """Return the draw of a pick."""
        return cls(pick.slice, pick.inclusion_probability, pick.stage)


@dataclass(frozen=True, slots=True)
class RankedCase:
    """A case with the number that ranks it; the other fields are those of `LabelledScore`."""

    id: str
    score: float
    length: float | None
    task: str
    group: str


def ranked_cases(
    cases: Iterable[Case], ranking: Mapping[str, float], lengths: Mapping[str, float]
) -> dict[str, RankedCase]:
    """Return the cases with a rank by id; `lengths` are the mean characters of their answers."""
    return {
        case.id: RankedCase(
            case.id, ranking[case.id], lengths.get(case.id), task_name(case.task, case.system), case.group
        )
        for case in cases
        if case.id in ranking
    }


def ranked_rows(rows: Iterable[CaseRow]) -> dict[str, RankedCase]:
    """Return the scored rows of a selection by id; they do not hold the lengths of the answers."""
    return {
        row.id: RankedCase(row.id, row.disagreement, None, row.task or "", row.group)
        for row in rows
        if row.disagreement is not None
    }


def answer_lengths(generations: Mapping[str, Sequence[Generation]]) -> dict[str, float]:
    """Return the mean length in characters of the answers of each case that has any."""
    texts = {i: [len(g.text) for g in answers if g.error is None] for i, answers in generations.items()}
    return {i: sum(lengths) / len(lengths) for i, lengths in texts.items() if lengths}


def failures_by_labels(
    cases: Iterable[Case], failures: Mapping[str, float], kinds: Mapping[str, Kind]
) -> dict[str, float]:
    """Return the failures that labels show.

    Corrections and teachers' answers do not represent the pool. Free text that is equal to its label is left out as well: a label in other words decides nothing, so that only passes
    would count.
    """
    return {
        case.id: failures[case.id]
        for case in cases
        if case.id in failures
        and (
            case.verdict is not None
            or (case.reference is not None and case.reference.source == "label" and kinds.get(case.id) != "text")
        )
    }


def draws_by_labels(cases: Iterable[Case]) -> dict[str, Draw]:
    """Return how each labelled case was drawn, as its label says.

    Labels that name no slice count as drawn at random if no label of these cases names one.
    """
    given = {case.id: case.verdict or case.reference for case in cases}
    labels = {i: label for i, label in given.items() if label is not None}
    unnamed: Slice | None = None if any(label.slice for label in labels.values()) else "random"
    named = {i: label.slice or unnamed for i, label in labels.items()}
    return {i: Draw(slice_, labels[i].probability) for i, slice_ in named.items() if slice_ is not None}


def draws_of_stages(stages: Sequence[Stage]) -> dict[str, Draw]:
    """Return how the cases of a design were drawn; a case counts where it was settled first."""
    draws: dict[str, Draw] = {}
    for number, stage in enumerate(stages, start=1):
        drawn = {i: Draw("random", probability, number) for i, probability in stage.probabilities.items()}
        draws = dict.fromkeys(stage.certain, Draw("disagreement", 1.0, number)) | drawn | draws
    return draws


def draws_of_selection(frozen: FrozenSelection) -> dict[str, Draw]:
    """Return how the cases of a kept selection were drawn."""
    number = len(frozen.before) + 1
    chosen = {pick.case_id: Draw(pick.slice, 1.0, number) for pick in frozen.discovered}
    return draws_of_stages((*frozen.before, frozen.stage)) | chosen


def measure_score(
    ranked: Mapping[str, RankedCase], failures: Mapping[str, float], draws: Mapping[str, Draw]
) -> ScoreQuality | None:
    """Measure how well the score ranks, from the labels of drawn cases.

    Args:
        ranked: the cases with a score, by id.
        failures: how far production failed, 0..1 by id; a case that is neither right nor wrong does not count.
        draws: how the selected cases were drawn, by id; also those that have no label yet.

    Returns:
        None without a label of the random slice: other labels cannot represent the pool.
    """
    judged = {i for i, failure in failures.items() if failure != HALF and i in ranked and i in draws}
    weights = case_weights(judged, draws)
    labelled = [
        LabelledScore(c.score, failures[c.id] > HALF, c.length, c.task, c.group, weights[c.id])
        for c in (ranked[i] for i in sorted(weights))
    ]
    chosen = {i for i, draw in draws.items() if draw.slice != "random"}
    return score_quality(labelled, represents="rest" if chosen and not chosen & judged else "all")


def measure_judge(
    stages: Sequence[Stage], failures: Mapping[str, float], verdicts: Mapping[str, float]
) -> JudgeQuality | None:
    """Measure the judge from labels of drawn cases; None if it judged none of them.

    Args:
        stages: all draws.
        failures: how far production failed, 0..1 by id.
        verdicts: of the judge, the probability of a failure, by id.
    """
    draws = draws_of_stages(stages)
    weights = case_weights({i for i, failure in failures.items() if failure != HALF} & draws.keys(), draws)
    return judge_quality(failures, verdicts, weights)


def case_weights(labelled: Collection[str], draws: Mapping[str, Draw]) -> dict[str, float]:
    """Return the number of cases that each labelled one represents, up to a common factor.

    In each round the pool consists of the cases settled before, of discovery's picks, and of the cases that the random slice
    represents with 1 / probability. So each round represents the whole pool. A case counts with its mean weight over the
    rounds, which count by their labels of the random slice. Where labels of a round's slice are missing, the others of
    that slice take their place. {} without a label of the random slice.
    """
    cell = {i: (draw.stage, draw.slice) for i, draw in draws.items()}
    selected, judged = Counter(cell.values()), Counter(cell[i] for i in labelled)
    rounds = {stage: judged[stage, "random"] for stage, _ in judged if judged[stage, "random"]}
    total = sum(rounds.values())
    weights = {}
    for case_id in labelled if total else ():
        draw = draws[case_id]
        in_its_round = 1 / draw.probability if draw.slice == "random" else 1.0
        mean = sum(
            labels * (1.0 if stage > draw.stage else in_its_round)
            for stage, labels in rounds.items()
            if stage >= draw.stage
        )
        weights[case_id] = mean / total * selected[cell[case_id]] / judged[cell[case_id]]
    return {case_id: weight for case_id, weight in weights.items() if weight > 0}


def strategy_yields(failures: Mapping[str, float], draws: Mapping[str, Draw]) -> tuple[StrategyYield, ...]:
    """Return the failures among the labels of each slice, those without labels left out."""
    by_slice: defaultdict[Slice, list[tuple[float, float]]] = defaultdict(list)
    for case_id in sorted(failures.keys() & draws.keys()):
        draw = draws[case_id]
        weight = 1 / draw.probability if draw.slice == "random" else 1.0
        by_slice[draw.slice].append((failures[case_id], weight))
    return tuple(_yield(name, by_slice[name]) for name in SLICES if name in by_slice)


def _yield(name: Slice, labels: Sequence[tuple[float, float]]) -> StrategyYield:
    total = fsum(weight for _, weight in labels)
    return StrategyYield(
        slice=name,
        labels=len(labels),
        failures=rounded(fsum(failure for failure, _ in labels)),
        rate=rounded(fsum(failure * weight for failure, weight in labels) / total),
        worth=rounded(total**2 / fsum(weight**2 for _, weight in labels)),
    )
