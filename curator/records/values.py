"""The values that a field of a record may have."""

from __future__ import annotations

from typing import Literal, get_args

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
Scalar = str | int | float | bool

Role = Literal["system", "user", "assistant", "tool"]
Kind = Literal["label", "choice", "boolean", "number", "date", "json", "tool_call", "code", "short", "text"]
AnswerKind = Kind | Literal["refusal", "empty"]
Thumb = Literal["up", "down"]
ReferenceSource = Literal["label", "correction", "teacher"]
Slice = Literal["random", "disagreement", "diversity"]
"""The part of a selection: the probability sample, or discovery's picks, by the score or by the inputs alone."""
SLICES: tuple[Slice, ...] = get_args(Slice)
Split = Literal["eval", "train"]
MergeReason = Literal["exact", "near"]
Trend = Literal["new", "back", "grew", "shrank", "steady"]
Fading = Literal["fixed", "not-asked"]
"""The likely reason why a category lost its cases: fewer cases of its task fail so, or its task is asked less."""
DiagnosisName = Literal[
    "refusing",
    "format-broken",
    "ambiguous",
    "split-by-model",
    "prompt-sensitive",
    "sampling-unstable",
    "consistently-wrong",
    "against-production",
    "wrong-tool",
    "stable",
    "cannot-tell",
    "not-enough-data",
]
StrategyName = Literal["coverage", "top", "margin", "random", "k-center", "kmeans++", "badge"]
"""The names of the strategies in `curator.selection.strategies`."""
STRATEGY_NAMES: tuple[StrategyName, ...] = get_args(StrategyName)
KINDS: tuple[Kind, ...] = ("label", "choice", "boolean", "number", "date", "json", "tool_call", "code", "short", "text")
