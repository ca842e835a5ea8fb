"""The installed packages that matter, and the plugins of other packages."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from curator._version import __version__
from curator.plugins import Registry

PACKAGES = ("openai", "litellm", "sentence-transformers", "hdbscan", "datasets", "pydantic", "torch", "xllamacpp")


def installed_version(package: str) -> str | None:
    """Return the version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def version_text() -> str:
    """Return the text of `curator --version`: its version, then Python and the packages."""
    lines = [f"curator {__version__}", f"python {platform.python_version()}"]
    lines += [f"{name} {installed_version(name) or 'not installed'}" for name in PACKAGES]
    for registry in plugin_registries():
        lines += [f"plugin {name} ({registry.group})" for name in registry if name not in registry.built_in]
        lines += [f"broken plugin {name} ({registry.group})" for name in registry.broken]
    return "\n".join(lines)


def plugin_registries() -> Iterator[Registry[Any]]:
    """Yield the registries that other packages can add entries to."""
    from curator.exporters import EXPORTERS
    from curator.labels import LABEL_SERVERS, LABEL_TOOLS
    from curator.readers import READERS
    from curator.trainers import TRAINERS

    yield READERS
    yield EXPORTERS
    yield LABEL_TOOLS
    yield LABEL_SERVERS
    yield TRAINERS
