"""Every estimator of the registry and every baseline of `references.py`, for one case.

The answers are read and compared as for the score; the baselines get the raw texts. `disagreement.py` reports how well each
one ranks. Nothing is fitted here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import orjson

from benchmarks.common.recorded_sets import Record
from benchmarks.signal.references import BASELINES, Baseline
from curator.disagreement.equivalence.comparers import WordComparer
from curator.disagreement.estimators import ESTIMATORS, Estimator, EstimatorInput
from curator.disagreement.scoring_model import kind_of
from curator.run_folder.recorded import read_record

LENGTH = "length"


@dataclass(frozen=True)
class RecordedCase:
    """The answers to one case, as estimators and as baselines read them."""

    answers: EstimatorInput
    mean_length: float


Value = Callable[[RecordedCase], float | None]


def _estimate(case: RecordedCase, estimator: Estimator) -> float | None:
    return estimator.value(case.answers)


def _baseline(case: RecordedCase, baseline: Baseline) -> float | None:
    return baseline(case.answers.texts, case.answers.target_text)


ROWS: Mapping[str, Value] = {
    **{name: partial(_estimate, estimator=estimator) for name, estimator in ESTIMATORS.items()},
    **{f"baseline, {name}": partial(_baseline, baseline=baseline) for name, baseline in BASELINES.items()},
}
"""Name -> value of a case; higher means more disagreement. None where the case lacks what is needed."""


def read_case(record: Record) -> RecordedCase:
    """Read a record of contract 4 as the score reads it."""
    recorded = read_record(orjson.dumps(record))
    answers = EstimatorInput.of(
        recorded.answers, target=recorded.target, kind=kind_of(recorded), labels=recorded.labels, input=recorded.input,
        compare=WordComparer(recorded.question),
    )  # fmt: skip
    return RecordedCase(answers, float(np.mean([len(text) for text in answers.texts])))
