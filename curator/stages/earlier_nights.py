"""Draws of earlier nights whose labels came back, in this night's estimate."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from curator.config import Config
from curator.errors import Refused
from curator.estimation.failure_rate import Estimate, estimate
from curator.estimation.sample_design import Stage
from curator.estimation.sampling_frame import SamplingUnit
from curator.readers.hints import listed
from curator.records import Case, FailureRate, Pick, answer_mark
from curator.stages.corrected_categories import NO_CATEGORIES, CorrectedCategories
from curator.stages.pick import (
    CONFIDENCE,
    Earlier,
    SelectionResult,
    as_failure_rate,
    failure_rate,
    representative_failures,
)
from curator.state.draws import DrawsFile, NightDraw
from curator.text.display import plural


@dataclass(frozen=True, slots=True)
class EarlierNights:
    """The nights before this one whose labels came back.

    Attributes:
        file: the draws of all nights, with what was known of their cases.
        nights: those before this one with labels, as they were drawn.
        failures: of the cases that they chose. A user's correction counts as in `representative_failures`, night by night.
        other_answers: the cases whose labels are about other answers than those of this night; they are not used.
        answers: the marks of the answers of this night's cases, by case id.
    """

    file: DrawsFile
    nights: tuple[NightDraw, ...]
    failures: Mapping[str, float]
    other_answers: frozenset[str] = frozenset()
    answers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, file: DrawsFile, cases: Sequence[Case], failures: Mapping[str, float], config: Config) -> EarlierNights:
        """Find the nights with labels among those before this one.

        Args:
            file: the draws of all nights.
            cases: of this night's pool.
            failures: of these cases, 0..1 by id.
            config: the job of this night. A run over the same cases with the same settings is of the same night.
        """
        answers = {case.id: answer_mark(case.target) for case in cases}
        others = file.of_other_answers(answers)
        before_now = {i: failure for i, failure in file.failures.items() if i not in others}
        corrected = {case.id for case in cases if case.corrected} - before_now.keys()
        every = {**before_now, **failures}
        ids, settings = {case.id for case in cases}, settings_of(config)
        before = (night for night in file.nights if not night.is_again(ids, settings))
        nights = tuple(night for night in before if not (every.keys() - corrected).isdisjoint(night.stage.drawn))
        usable: dict[str, float] = {}
        for night in nights:
            usable |= _representative(night.stage, every, corrected)
        return cls(file, nights, usable, others - failures.keys(), answers)

    def within(self, cases: Sequence[Case]) -> Earlier:
        """Return the draws among the cases that are still in the logs.

        Cases without a label may be chosen again.
        """
        ids = {case.id for case in cases}
        stages = tuple(
            stage
            for night in self.nights
            if not self.failures.keys().isdisjoint((stage := night.stage.among(ids)).drawn)
        )
        chosen = {i for stage in stages for i in (*stage.certain, *stage.drawn)}
        labels = {i: self.failures[i] for i in sorted(chosen) if i in self.failures}
        slices = {i: slice_ for night in self.nights for i, slice_ in night.slices.items()}
        picks: dict[str, Pick] = {}
        for number, stage in enumerate(stages, start=1):
            for pick in _picks_of(stage, number, labels):
                picks.setdefault(pick.case_id, replace(pick, slice=slices.get(pick.case_id, pick.slice)))
        ranked = tuple(replace(pick, rank=rank) for rank, pick in enumerate(picks.values(), start=1))
        return Earlier(stages, labels, picks=ranked, only_labelled=True)

    def with_night(
        self,
        selection: SelectionResult,
        failures: Mapping[str, float],
        corrected: Collection[str],
        config: Config,
        today: str,
    ) -> DrawsFile:
        """Return the file after this night; the arguments as for `failure_rate`."""
        night = NightDraw(
            date=today,
            settings=settings_of(config),
            stage=selection.stage,
            slices={pick.case_id: pick.slice for pick in selection.picks if pick.slice != "random"},
            weights={unit.id: unit.weight for unit in selection.pool if unit.weight != 1},
        )
        labels = {**self.failures, **_representative(selection.stage, failures, corrected)}
        return self.file.followed_by(night, labels, self.answers)

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence on the labels of earlier nights that are not used."""
        if not self.other_answers:
            return ()
        number = len(self.other_answers)
        sentence = (
            f"{plural(number, 'label')} of earlier nights {'is' if number == 1 else 'are'} about other answers than those that production"
            f" gives now ({listed(sorted(self.other_answers))}) and not used: judge the cases again where the label queue has them"
        )
        return (sentence,)

    def failure_rate(
        self,
        selection: SelectionResult,
        failures: Mapping[str, float],
        corrected: Collection[str],
        categories: CorrectedCategories = NO_CATEGORIES,
    ) -> FailureRate | None:
        """Estimate the failure rate of this night's pool, or without labels that of earlier ones.

        Args:
            selection: of this night, with the draws of earlier nights.
            failures: of this night's cases, 0..1 by id.
            corrected: the cases whose only label is a user's correction.
            categories: of this night's cases.
        """
        labels = {**selection.earlier.labels, **failures}
        rate = (
            failure_rate(selection, labels, corrected=corrected, categories=categories)
            if labels.keys() - corrected
            else None
        )
        until = max((night.date for night in self.nights), default=None)
        if rate is not None and rate.rate is not None:
            return replace(rate, until=until) if rate.new_cases else rate
        of_period = self._period()
        if of_period is None:
            return rate
        records = round(sum(unit.weight for unit in selection.pool))
        return replace(
            as_failure_rate(of_period), until=until, new_cases=len(selection.pool), new_records=records, gone=True
        )

    def _period(self) -> Estimate | None:
        """Estimate the rate over the cases of the nights with labels, also those that are gone."""
        weights = {i: weight for night in self.nights for i, weight in night.weights.items()}
        ids = {i for night in self.nights for i in night.stage.cases}
        pool = [SamplingUnit(i, weight=weights.get(i, 1.0)) for i in sorted(ids)]
        try:
            return estimate(pool, [night.stage for night in self.nights], self.failures, confidence=CONFIDENCE)
        except Refused:
            return None


def settings_of(config: Config) -> str:
    """Return a fingerprint of the seed and the settings of the selection."""
    content = orjson.dumps([config.seed, config.selection.model_dump(mode="json")], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:16]


def _representative(stage: Stage, failures: Mapping[str, float], corrected: Collection[str]) -> dict[str, float]:
    """Return the failures of the cases that a stage chose, by `representative_failures`."""
    usable = representative_failures(stage.drawn, failures, corrected)
    return {i: usable[i] for i in (*stage.certain, *stage.drawn) if i in usable}


def _picks_of(stage: Stage, number: int, labels: Mapping[str, float]) -> Iterator[Pick]:
    """Yield the labelled cases that a stage chose; rank and split are filled in later."""
    probabilities, stratum_of = stage.probabilities, stage.stratum_of
    yield from (Pick(i, 0, "disagreement", 1.0, "eval", stage=number) for i in stage.certain if i in labels)
    for place, i in enumerate(stage.drawn, start=1):
        if i in labels:
            yield Pick(i, 0, "random", probabilities[i], "eval", stage=number, stratum=stratum_of[i], draw=place)
