"""Signals beside disagreement: the likelihood of tokens, and stated confidence.

They are not part of the default score: no recorded committee with known failures has them yet, so that no gain is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, fsum
from typing import Literal, get_args

from curator.answers.confidence import may_state_confidence, stated_confidence
from curator.answers.json_values import parse_json
from curator.answers.normalization import answer_part
from curator.answers.read import Answer
from curator.disagreement.estimators.likelihood import likelihood_semantic_entropy, token_nll
from curator.records.recorded import Answered
from curator.records.token_logprobs import TokenLogprobs

SideSignal = Literal[
    "token_nll", "least_token_probability", "likelihood_entropy", "confidence",
    "target_token_nll", "target_least_token_probability", "target_confidence",
]  # fmt: skip
SIDE_SIGNALS: tuple[SideSignal, ...] = get_args(SideSignal)


@dataclass(frozen=True, slots=True)
class Stated:
    """One answer with what it says of its own certainty.

    Attributes:
        text: the whole answer.
        answer: the answer as read.
        logprobs: of its tokens; None where they are not known.
    """

    text: str
    answer: Answer
    logprobs: TokenLogprobs | None = None


def side_signals(
    answers: Sequence[Stated], target: Stated | None, classes: Callable[[], Sequence[Hashable]]
) -> dict[str, float] | None:
    """Return the signals, by name, that the answers to one case have; None where they have none.

    `token_nll` is the mean negative log-likelihood per token of the part that was read as the answer, and
    `least_token_probability` the smallest probability of its tokens, both as means over the answers with log-probabilities.
    `likelihood_entropy` is the semantic entropy weighted by likelihood, where every answer has log-probabilities; only then
    are the `classes` of the answers needed. `confidence` is the mean of the stated confidences. Those of production's answer
    start with `target_`.
    """
    signals: dict[SideSignal, float | None] = {
        "token_nll": _mean([_nll(answer) for answer in answers]),
        "least_token_probability": _mean([_least(answer) for answer in answers]),
        "likelihood_entropy": _entropy(answers, classes),
        "confidence": _mean([confidence_of(answer.text) for answer in answers]),
    }
    if target is not None:
        signals |= {
            "target_token_nll": _nll(target),
            "target_least_token_probability": _least(target),
            "target_confidence": confidence_of(target.text),
        }
    present = {str(name): value for name, value in signals.items() if value is not None}
    return present or None


def logprobs_of(answer: Answered) -> TokenLogprobs | None:
    """Return the log-probabilities of a committee's answer with their tokens; None without any."""
    return TokenLogprobs(answer.logprobs, answer.tokens) if answer.logprobs else None


def confidence_of(text: str) -> float | None:
    """Return the confidence that an answer states, also in a field of its JSON."""
    if not may_state_confidence(text):
        return None
    parsed = parse_json(answer_part(text)) if "{" in text else None
    return stated_confidence(text, parsed[0] if parsed else None)


def answer_logprobs(stated: Stated) -> tuple[float, ...]:
    """Return the log-probabilities of the tokens of the part that was read as the answer.

    The part is found by its last place in the text of the tokens; all tokens count where it is not there, or where the
    tokens' texts are not known.
    """
    logprobs, part = stated.logprobs, stated.answer.text.strip()
    if logprobs is None:
        return ()
    start = "".join(logprobs.tokens).rfind(part) if part else -1
    if start < 0:
        return logprobs.values
    end = start + len(part)
    ends = list(accumulate(map(len, logprobs.tokens)))
    inside = [
        value
        for value, token, stop in zip(logprobs.values, logprobs.tokens, ends, strict=True)
        if stop > start and stop - len(token) < end
    ]
    return tuple(inside)


def _nll(stated: Stated) -> float | None:
    values = answer_logprobs(stated)
    return token_nll(values) if values else None


def _least(stated: Stated) -> float | None:
    values = answer_logprobs(stated)
    return exp(min(values)) if values else None


def _entropy(answers: Sequence[Stated], classes: Callable[[], Sequence[Hashable]]) -> float | None:
    likelihoods = [_nll(answer) for answer in answers]
    finite = [-value for value in likelihoods if value is not None]
    if len(finite) < max(2, len(answers)) or max(finite) == float("-inf"):
        return None
    return likelihood_semantic_entropy(classes(), finite)


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return fsum(present) / len(present) if present else None
