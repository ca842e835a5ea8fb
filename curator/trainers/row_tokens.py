"""The tokens of training rows, estimated without the tokenizer of the model."""

from __future__ import annotations

from collections.abc import Iterable

from curator.records import Message
from curator.text.tokens import estimate_tokens
from curator.trainers.trainer import TrainingRow


def row_tokens(rows: Iterable[TrainingRow]) -> int:
    """Return the tokens of the conversations and their answers, rather too many than too few."""
    return sum(estimate_tokens((*row.messages, Message("assistant", row.answer)), {}) for row in rows)
