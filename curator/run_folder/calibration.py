"""The file that `curator calibrate` writes and whoever ranks by it reads: JSON with its version and its verdict."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from curator.disagreement.calibration import CALIBRATION, MOST_GROUPS, Calibration, formula_of, is_signal
from curator.disagreement.score import SCORER, Formula
from curator.errors import ConfigError
from curator.io.atomic import write_atomic
from curator.records import JsonValue

VERSION = 1
Verdict = Literal["used", "no gain", "not enough data"]
_AGAIN = "make it anew with `curator calibrate`, or go without it"


@dataclass(frozen=True, slots=True)
class CalibrationFile:
    """A calibration file as it was read: `calibration` is None where there were too few labels for a fit."""

    path: Path
    sha256: str
    calibration: Calibration | None

    @property
    def verdict(self) -> Verdict:
        """Whether the fitted score is used, and why not."""
        return verdict(self.calibration)

    @property
    def formula(self) -> Formula:
        """What ranks."""
        return formula_of(self.calibration)

    def warnings(self, *, scorer: str, groups: Iterable[str] | None) -> tuple[str, ...]:
        """What the user should know of it: that it is not used, or where it does not fit.

        `scorer` names the default score as it would be here, and `groups` the members of the committee, if known.
        """
        file, found = str(self.path), self.calibration
        if found is None:
            return (f"the calibration {file!r} has no fit, for want of labels: the default score stays",)
        if not found.better:
            return (f"the calibration {file!r} showed no gain: the default score stays",)
        said = []
        here = found.groups if groups is None else frozenset(groups)
        new = here - found.groups if len(found.groups) < MOST_GROUPS else frozenset()
        for members, what in ((found.groups - here, "was fitted to members that are not here"), (new, "does not know")):
            if members:
                said.append(
                    f"the calibration {file!r} {what}: {', '.join(name or '(unnamed)' for name in sorted(members))}; its gain is that of another"
                    " committee, so label a random slice of this one's answers and calibrate again"
                )
        if found.scorer != scorer:
            said.append(
                f"the calibration {file!r} was fitted to answers compared by {_compared(found.scorer)}, these are"
                f" compared by {_compared(scorer)}: its gain is not known here"
            )
        return tuple(said)


def verdict(calibration: Calibration | None) -> Verdict:
    """What becomes of a fit."""
    if calibration is None:
        return "not enough data"
    return "used" if calibration.better else "no gain"


def _content(calibration: Calibration | None) -> bytes:
    """The file: names of members and numbers, and nothing out of the logs."""
    content: dict[str, JsonValue] = {"version": VERSION, "score": CALIBRATION, "verdict": verdict(calibration)}
    fit: dict[str, JsonValue] = {"better": False, "scorer": SCORER}
    if calibration is not None:
        fit = {"better": calibration.better, "fit": orjson.loads(orjson.dumps(calibration))}
    return orjson.dumps(content | fit, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def save_calibration(calibration: Calibration | None, path: str | Path) -> None:
    """Write a fit so that a config or `curator score` may name it; None where there were too few labels for one.

    Raises:
        StorageError: it cannot be written.
    """
    write_atomic(Path(path), [_content(calibration)])


def load_calibration(path: str | Path) -> Calibration | None:
    """The fit in a file that `curator calibrate` wrote; None where there were too few labels for one.

    Whether it should rank is its `better`.

    Raises:
        ConfigError: as `read_calibration`.
    """
    return read_calibration(path).calibration


def read_calibration(path: str | Path) -> CalibrationFile:
    """Read a file that `curator calibrate` wrote.

    Raises:
        ConfigError: there is no such file, it is damaged, or it is of another version of curator or of its scores.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{str(path)!r}: the calibration cannot be read ({error.strerror})",
            remedy="name a file that `curator calibrate ... --out FILE` wrote, or go without it",
        ) from error
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _damaged(path, f"not valid JSON: {error}") from error
    if not isinstance(content, dict) or "version" not in content:
        raise _damaged(path, "it has no `version`, so that it is no calibration")
    for key, ours in (("version", VERSION), ("score", CALIBRATION)):
        if content.get(key) != ours:
            raise ConfigError(
                f"{str(path)!r}: `{key}` is {content.get(key)!r}, and this curator reads {ours!r}", remedy=_AGAIN
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
        raise _damaged(path, f"there is no signal {unknown[0]!r}")
    if fit.scorer.split("+")[0] != SCORER:
        raise ConfigError(
            f"{str(path)!r}: it was measured against the score {fit.scorer!r}, and this curator's is {SCORER!r}",
            remedy=_AGAIN,
        )
    return fit


def _compared(scorer: str) -> str:
    """What compared the answers, by the name of the score."""
    return scorer.partition("+")[2] or "words"


def _damaged(path: Path, what: str) -> ConfigError:
    return ConfigError(f"{str(path)!r}: the calibration is damaged ({what})", remedy=_AGAIN)
