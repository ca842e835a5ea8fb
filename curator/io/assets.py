"""Where the files that ship with curator are: `prompts/` and `configs/`."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def asset(*parts: str) -> Path:
    """The path of a shipped file or folder, such as `asset("prompts", "committee")`.

    A wheel carries them inside the package, in `curator/_data`; in a checkout (an editable install included) they
    stand beside the package.
    """
    installed = _PACKAGE / "_data"
    return (installed if installed.is_dir() else _PACKAGE.parent).joinpath(*parts)
