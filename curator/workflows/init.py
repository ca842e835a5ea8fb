"""`curator init`: write a config, the prompt variants and a sample log."""

from __future__ import annotations

from pathlib import Path

from curator.errors import ConfigError, StorageError
from curator.io.assets import asset


def scaffold(folder: Path) -> tuple[Path, ...]:
    """Write `curator.yaml`, `prompts/` and a sample log into a folder; return the files.

    Raises:
        ConfigError: one of the files is there already; none is touched then.
        StorageError: the folder cannot be written.
    """
    files = {folder / "curator.yaml": asset("configs", "starter.yaml")}
    files[folder / "logs" / "sample.jsonl"] = asset("configs", "sample.jsonl")
    for variant in sorted(asset("prompts", "committee").glob("*.md")):
        files[folder / "prompts" / variant.name] = variant

    if there := [str(path) for path in files if path.exists()]:
        raise ConfigError(
            f"these files are there already: {', '.join(there)}",
            remedy="name another folder (`curator init DIR`), or move them away; nothing was written",
        )
    try:
        for path, source in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source.read_bytes())
    except OSError as error:
        raise StorageError(
            f"{str(error.filename)!r} cannot be written ({error.strerror})", remedy="name a folder that can be written"
        ) from error
    return tuple(files)
