"""The calibration file: JSON with the fitted score, its version, and whether it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import orjson
from pydantic import TypeAdapter, ValidationError

from curator.disagreement.calibration import CALIBRATION, MOST_GROUPS, Calibration, formula_of, is_signal
from curator.disagreement.score import SCORER, Formula
from curator.errors import ConfigError
from curator.io.atomic import write_atomic
from curator.records import JsonValue

VERSION = 2
Verdict = Literal["used", "no gain", "not enough data"]
_CALIBRATE_AGAIN = "write it again with `curator calibrate`, or leave it out"


@runtime_checkable
class FittedResult(Protocol):
    """The result of `curator.calibrate`, as far as scoring and saving need it."""

    @property
    def calibration(self) -> Calibration | None:
        """The fit; None where there were too few labels."""


@dataclass(frozen=True, slots=True)
class CalibrationFile:
    """A calibration file; `calibration` is None where there were too few labels for a fit."""

    path: Path
    sha256: str
    calibration: Calibration | None

    @property
    def verdict(self) -> Verdict:
        """The use of the fitted score, or the reason why it is not used."""
        return verdict(self.calibration)

    @property
    def formula(self) -> Formula:
        """The formula that ranks: the fitted score if it is used, else the default score."""
        return formula_of(self.calibration)

    def warnings(self, *, scorer: str, groups: Iterable[str] | None) -> tuple[str, ...]:
        """Return one sentence for each reason not to rely on the calibration here.

        `scorer` is the name of the default score here; `groups` are the members of the committee, None if not known.
        """
        file, fit = str(self.path), self.calibration
        if fit is None:
            return (
                f"the calibration {file!r} has no fit, because there were too few labels: the default score is used",
            )
        if not fit.better:
            return (f"the calibration {file!r} showed no gain: the default score is used",)
        warnings = []
        here = fit.groups if groups is None else frozenset(groups)
        new = here - fit.groups if len(fit.groups) < MOST_GROUPS else frozenset()
        for members, what in ((fit.groups - here, "was fitted to members that are not here"), (new, "does not know")):
            if members:
                warnings.append(
                    f"the calibration {file!r} {what}: {', '.join(name or '(unnamed)' for name in sorted(members))}; its gain was measured on another"
                    " committee; label a random slice of this committee's answers and calibrate again"
                )
        if fit.scorer != scorer:
            warnings.append(
                f"the calibration {file!r} was fitted to answers compared by {_comparison_name(fit.scorer)}, but here"
                f" they are compared by {_comparison_name(scorer)}: its gain is not known"
            )
        return tuple(warnings)


def verdict(calibration: Calibration | None) -> Verdict:
    """Return whether a fit is used; None is too few labels for one."""
    if calibration is None:
        return "not enough data"
    return "used" if calibration.better else "no gain"


def _content(calibration: Calibration | None) -> bytes:
    """Return the content of the file: names of members and numbers, no text of the logs."""
    content: dict[str, JsonValue] = {"version": VERSION, "score": CALIBRATION, "verdict": verdict(calibration)}
    fit: dict[str, JsonValue] = {"better": False, "scorer": SCORER}
    if calibration is not None:
        fit = {"better": calibration.better, "fit": orjson.loads(orjson.dumps(calibration))}
    return orjson.dumps(content | fit, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def save_calibration(calibration: Calibration | FittedResult | None, path: str | Path) -> None:
    """Write a fit to a file that a config or `curator score` can name; None is too few labels.

    Raises:
        StorageError: it cannot be written.
    """
    fit = calibration.calibration if isinstance(calibration, FittedResult) else calibration
    write_atomic(Path(path), [_content(fit)])


def load_calibration(path: str | Path) -> Calibration | None:
    """Read the fit in a calibration file; None where there were too few labels.

    Rank by it only if its `better` is true.

    Raises:
        ConfigError: as `read_calibration`.
    """
    return read_calibration(path).calibration


def read_calibration(path: str | Path) -> CalibrationFile:
    """Read a file that `curator calibrate` wrote.

    Raises:
        ConfigError: the file cannot be read, it is damaged, or another version of curator or of its scores wrote it.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{str(path)!r}: the calibration cannot be read ({error.strerror})",
            remedy="name a file that `curator calibrate ... --out FILE` wrote, or leave it out",
        ) from error
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _damaged(path, f"not valid JSON: {error}") from error
    if not isinstance(content, dict) or "version" not in content:
        raise _damaged(path, "it has no `version`")
    for key, ours in (("version", VERSION), ("score", CALIBRATION)):
        if content.get(key) != ours:
            raise ConfigError(
                f"{str(path)!r}: `{key}` is {content.get(key)!r}, but this version reads {ours!r}",
                remedy=_CALIBRATE_AGAIN,
            )
    return CalibrationFile(path, hashlib.sha256(data).hexdigest(), _fit(content, path))


def _fit(content: dict[str, object], path: Path) -> Calibration | None:
    if content.get("verdict") == "not enough data":
        return None
    try:
        fit = TypeAdapter(Calibration).validate_json(orjson.dumps(content.get("fit")), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(["fit", *map(str, first["loc"])])
        raise _damaged(path, f"`{where}`: {first['msg']}") from error
    if any(term.scale <= 0 for term in fit.terms):
        raise _damaged(path, "a `scale` is not above 0")
    if unknown := [term.signal for term in fit.terms if not is_signal(term.signal)]:
        raise _damaged(path, f"curator has no signal {unknown[0]!r}")
    if fit.scorer.split("+")[0] != SCORER:
        raise ConfigError(
            f"{str(path)!r}: it was measured against the score {fit.scorer!r}, but this version has {SCORER!r}",
            remedy=_CALIBRATE_AGAIN,
        )
    return fit


def _comparison_name(scorer: str) -> str:
    """Return the method that compares answers, from the name of a score."""
    return scorer.partition("+")[2] or "words"


def _damaged(path: Path, what: str) -> ConfigError:
    return ConfigError(f"{str(path)!r}: the calibration is damaged ({what})", remedy=_CALIBRATE_AGAIN)
