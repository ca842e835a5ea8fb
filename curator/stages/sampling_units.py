"""Cases to sampling units: covariates that predict failure, and domains of a rate."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from curator.estimation.sampling_frame import GROUP, SamplingUnit
from curator.records import Scalar
from curator.run_folder.cases import CaseRow

COMMITTEE = "committee"
"""The domain of cases where the committee agrees with itself and with production. Failures there are silent: only a random
sample finds them."""
AGREES, DIFFERS = "agrees", "differs"
CATEGORIES = ("task", "kind", "category")
"""The domains of every pool, beside its metadata and `COMMITTEE`."""
JUDGED_WRONG = "judged_wrong"
"""The covariate that is a judge's verdict."""
MOST_VALUES = 50
"""A metadata field with more values than this identifies cases instead of grouping them."""
_MEASURES_QUALITY = re.compile(r"score|similarity|distance|confidence|relevance|rank", re.IGNORECASE)
_THUMBS = {"up": -1.0, "down": 1.0, None: 0.0}


def sampling_units(rows: Sequence[CaseRow]) -> list[SamplingUnit]:
    """Convert each case to a unit of the sampling frame, in the same order.

    A number in the metadata is a covariate only where its name says that it measures quality, such as a retrieval score.
    Others, such as a time, would be noise to a fit on few labels.
    """
    fields = metadata_fields(rows)
    sizes = Counter(row.group for row in rows)
    return [
        SamplingUnit(
            id=row.id,
            covariates=_covariates(row),
            domains={
                **{name: str(row.metadata[name]) for name in fields if name in row.metadata},
                **{name: value for name in CATEGORIES if (value := domain_of(row, name)) is not None},
                **({GROUP: row.group} if row.group and sizes[row.group] > 1 else {}),
                **_committee_domain(row),
            },
            weight=float(row.weight),
        )
        for row in rows
    ]


def judge_verdicts(pool: Iterable[SamplingUnit]) -> dict[str, float]:
    """Return the verdicts of a judge by id, as the probability of a failure."""
    return {unit.id: failure for unit in pool if (failure := unit.covariates.get(JUDGED_WRONG)) is not None}


def metadata_fields(rows: Iterable[CaseRow]) -> tuple[str, ...]:
    """Return the metadata fields with 2 to `MOST_VALUES` values, none of them a fraction."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    excluded = {COMMITTEE, GROUP}
    for row in rows:
        for key, value in row.metadata.items():
            if isinstance(value, float):
                excluded.add(key)
            elif len(values[key]) <= MOST_VALUES:
                values[key].add(str(value))
    return tuple(
        sorted(key for key, distinct in values.items() if 2 <= len(distinct) <= MOST_VALUES and key not in excluded)
    )


def known_agreement(pool: Iterable[SamplingUnit]) -> tuple[str, ...]:
    """Return `(COMMITTEE,)` if any unit has a score, and so that domain; else ()."""
    return (COMMITTEE,) if any(COMMITTEE in unit.domains for unit in pool) else ()


def domain_of(row: CaseRow, name: str) -> str | None:
    """Return the value that a case has in one of `CATEGORIES`; None where it has none."""
    return {"task": row.task, "kind": row.kind, "category": row.category}[name]


def _covariates(row: CaseRow) -> dict[str, float | None]:
    score = row.score
    return {
        "score": score.disagreement if score else None,
        "within": score.within if score else None,
        "between": score.between if score else None,
        "against_target": score.against_target if score else None,
        "agreement": score.agreement if score else None,
        "n": float(score.n) if score else None,
        "log characters": None if row.characters is None else math.log1p(row.characters),
        "thumb": _THUMBS[row.thumb],
        JUDGED_WRONG: row.judged_wrong,
        **{f"metadata {key}": _number(value) for key, value in row.metadata.items() if _MEASURES_QUALITY.search(key)},
    }


def _committee_domain(row: CaseRow) -> dict[str, str]:
    score = row.score
    if score is None or score.disagreement is None:
        return {}
    agrees = score.agreement == 1 and score.against_target in (None, 0)
    return {COMMITTEE: AGREES if agrees else DIFFERS}


def _number(value: Scalar) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
