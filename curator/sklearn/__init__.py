"""Parts of `curator` for scikit-learn, scikit-activeml and modAL.

The names below are loaded when they are first used, so that `import curator.sklearn` is instant. scikit-activeml and modAL are
optional: the strategies work without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for type checkers and editors; a test holds it equal to `_EXPORTS`
    from curator.sklearn.asking import AskCommittee as AskCommittee
    from curator.sklearn.disagreement import CommitteeDisagreement as CommitteeDisagreement
    from curator.sklearn.modal import uncertainty_coverage_sampling as uncertainty_coverage_sampling
    from curator.sklearn.prompt_committee import PromptCommittee as PromptCommittee
    from curator.sklearn.strategies import UncertaintyCoverage as UncertaintyCoverage

_EXPORTS = {
    "AskCommittee": "asking",
    "CommitteeDisagreement": "disagreement",
    "PromptCommittee": "prompt_committee",
    "UncertaintyCoverage": "strategies",
    "uncertainty_coverage_sampling": "modal",
}
"""Every public name, and the module of this folder that defines it."""

__all__ = [*_EXPORTS]  # noqa: PLE0604  the keys are strings


def __getattr__(name: str) -> object:
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'curator.sklearn' has no attribute {name!r}")
    value: object = getattr(import_module(f"curator.sklearn.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
