"""Every type of a public signature that `curator` itself does not export, and the aliases that name its inputs."""

from __future__ import annotations

from curator.disagreement.equivalence.comparers import (
    ComparerFactory,
)
from curator.records import (
    JsonValue,
)
from curator.records.result import (
    Result,
    TableResult,
)
from curator.workflows.comparison_result import (
    MissingPolicy,
)
from curator.workflows.inputs import (
    PathLike,
    Paths,
)
from curator.workflows.leaks import (
    Records,
)
from curator.workflows.pool import (
    PoolInput,
)
from curator.workflows.score import (
    Recordings,
)

__all__ = [
    "ComparerFactory",
    "JsonValue",
    "MissingPolicy",
    "PathLike",
    "Paths",
    "PoolInput",
    "Recordings",
    "Records",
    "Result",
    "TableResult",
]
