"""The X of an estimator of recorded answers: records, lists of answers, or a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from curator.errors import RecordError
from curator.records import KINDS, Kind
from curator.records.recorded import Answered, Recorded
from curator.run_folder.recorded import read_record


@dataclass(frozen=True, slots=True)
class ReadAs:
    """The reading of answers that come without a record.

    Attributes:
        kind: of the answers; None to detect it.
        labels: that an answer can be; () where they are not fixed.
    """

    kind: Kind | None
    labels: tuple[str, ...]

    @classmethod
    def of(cls, kind: str | None, labels: Iterable[object] | None) -> ReadAs:
        """Check the parameters of an estimator.

        Raises:
            ValueError: the kind is not one of `records.KINDS`.
        """
        if kind is not None and kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; give None or one of {', '.join(KINDS)}")
        return cls(kind, tuple(map(str, () if labels is None else labels)))


def read_cases(estimator: BaseEstimator, cases: Any, read_as: ReadAs, *, reset: bool) -> list[Recorded]:
    """Read the X of an estimator, one case a row.

    Args:
        estimator: gets `n_features_in_` and `feature_names_in_` if X is a table.
        cases: a table (an array or data frame with two dimensions), a row a case and a column a member, whose name is
            or else number is the prompt identity of its answers; a missing value is not an answer. Or a sequence of cases, each a list of
            answers, or a record as `curator score` reads it.
        read_as: the reading of answers without a record; a record's own `kind` and `labels` come first.
        reset: whether this is `fit`; else the columns are compared with those of `fit`.

    Raises:
        ValueError: X is empty or does not fit `fit`, or a case cannot be read; the message gives its place, from 0.
        TypeError: X is not a sequence, or a sparse table.
    """
    if len(getattr(cases, "shape", ())) == 2 or (hasattr(cases, "__array__") and not hasattr(cases, "shape")):
        return _table(estimator, cases, read_as, reset=reset)
    if isinstance(cases, str | bytes | Mapping) or not isinstance(cases, Iterable):
        raise TypeError(f"X is a {type(cases).__name__}; give a list of cases, each a list of answers or a record")
    read = [_case(case, place, read_as) for place, case in enumerate(cases)]
    if not read:
        raise ValueError("X has 0 sample(s), and a minimum of 1 is required")
    return read


def _table(estimator: BaseEstimator, table: Any, read_as: ReadAs, *, reset: bool) -> list[Recorded]:
    values: NDArray[Any] = validate_data(estimator, table, reset=reset, dtype=None, ensure_all_finite="allow-nan")
    names = getattr(estimator, "feature_names_in_", None)
    members = list(map(str, range(values.shape[1]) if names is None else names))
    return [_listed(row, members, place, read_as) for place, row in enumerate(values.tolist())]


def _case(case: object, place: int, read_as: ReadAs) -> Recorded:
    if isinstance(case, Mapping):
        return _record(case, place, read_as)
    if isinstance(case, Sequence | np.ndarray) and not isinstance(case, str | bytes):
        return _listed(list(case), [""] * len(case), place, read_as)
    raise ValueError(
        f"case {place} of X is a {type(case).__name__}, not a list of answers or a record with `generations`. Reshape your data,"
        " for one answer a case with X.reshape(-1, 1)"
    )


def _record(case: Mapping[str, object], place: int, read_as: ReadAs) -> Recorded:
    try:
        record = read_record(orjson.dumps(dict(case), option=orjson.OPT_SERIALIZE_NUMPY))
    except RecordError as error:
        raise ValueError(f"case {place} of X: {error.reason}; {error.remedy}") from error
    except TypeError as error:  # orjson's
        raise ValueError(f"case {place} of X cannot be written as JSON ({error}); use JSON's types") from error
    return replace(record, kind=record.kind or read_as.kind, labels=record.labels or read_as.labels)


def _listed(answers: Sequence[object], members: Sequence[str], place: int, read_as: ReadAs) -> Recorded:
    given = [
        Answered(str(answer), prompt_id=member)
        for answer, member in zip(answers, members, strict=True)
        if not _is_missing(answer)
    ]
    return Recorded(str(place), tuple(given), None, read_as.kind, read_as.labels, input="", question="")


def _is_missing(answer: object) -> bool:
    return answer is None or answer != answer  # noqa: PLR0124  nan is not equal to itself
