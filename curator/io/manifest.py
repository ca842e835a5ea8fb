"""Reading of `manifest.json`: the job that wrote a run folder, and why it ended early."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson

from curator.errors import RecordError
from curator.records import JsonValue

MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """The run that wrote a folder.

    Attributes:
        name: the `name` of its config.
        log_paths: the `logs.paths` of its config.
        selection: the `selection` of its config.
        seed: of its config.
        stopped: the reason why it ended early; None of a complete run.
    """

    name: str
    log_paths: tuple[str, ...]
    selection: JsonValue
    seed: int
    stopped: str | None


def read_manifest(folder: Path) -> EarlierRun | None:
    """Read the manifest of a run folder; None if the file does not exist.

    Raises:
        RecordError: it cannot be read, or it is damaged.
    """
    path = folder / MANIFEST_NAME
    try:
        content = orjson.loads(path.read_bytes())
        config = content["config"]
        return EarlierRun(
            name=config["name"],
            log_paths=tuple(config["logs"]["paths"]),
            selection=config["selection"],
            seed=content["seed"],
            stopped=content.get("stopped"),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(
            f"{str(path)!r}: this is not the manifest of a run ({type(error).__name__})",
            "name another folder with `--out`",
        ) from error
