"""LLM judge: asks a model whether two answers mean the same, through the sampling engine.

A verdict is a generation like any other: paid for once, stored, and counted in the budget. Only
`{"same": true}` and `{"same": false}` are verdicts; any other reply counts as undecided.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curator.committee.budget import Budget
from curator.committee.endpoints import Endpoint
from curator.committee.engine import EngineStats
from curator.committee.question_prompt import (
    QuestionPrompt,
    load_question_prompt,
    nonce_of,
    reply_object,
    reply_schema,
    shortened,
)
from curator.committee.questions import Question, QuestionEstimate, ask_questions, ceiling
from curator.committee.requests import ModelClient, PlannedCall
from curator.config import JudgeConfig, Price
from curator.disagreement.equivalence.leader_clustering import Pair
from curator.io.assets import asset
from curator.progress import Progress
from curator.records import Case, Generation, Message, stable_unit
from curator.state.generations import GenerationStore
from curator.text.tokens import estimate_tokens

PROMPT = "same-answer"
NO_VERDICT = "the reply is not a verdict"
"""The reply itself is not quoted: it may quote the logs, and each reply would be a reason of its own."""
QUESTION_LIMIT = 2000
"""Characters of a question that the judge sees; a longer question is shortened to its head and its tail."""

_SCHEMA = reply_schema("verdict", {"same": {"type": "boolean"}})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of the judge on a pair: True, False, or None with the `reason`."""

    same: bool | None
    reason: str | None = None
    cost_usd: float = 0.0


def load_prompt(path: Path | None = None) -> QuestionPrompt:
    """Return the prompt that ships, or the prompt in a file.

    Raises:
        ConfigError: the file cannot be read, or is not of the form.
    """
    return load_question_prompt(path or asset("prompts", "judge", f"{PROMPT}.md"), ("question", "first", "second"))


def render_pair(prompt: QuestionPrompt, pair: Pair) -> tuple[Message, ...]:
    """Return the messages that ask about a pair.

    A hash of the pair decides which answer comes first. Each pair is asked in one order only, and the error of a judge
    that prefers the first answer is random.
    """
    first, second = pair.left, pair.right
    if stable_unit("judge", pair.question, first, second) < 0.5:
        first, second = second, first
    return prompt.fill(
        {
            "nonce": nonce_of(pair.question, first, second),
            "question": shortened(pair.question, QUESTION_LIMIT),
            "first": first,
            "second": second,
        }
    )


def read_verdict(text: str) -> bool | None:
    """Return the verdict of a reply; None where it is not one.

    A verdict is a JSON object with only `same`, with or without a code fence.
    """
    reply = reply_object(text)
    same = reply.get("same") if reply is not None and len(reply) == 1 else None
    return same if isinstance(same, bool) else None


@dataclass
class Judge:
    """Asks about pairs. `verdicts` holds the verdicts on all of them."""

    config: JudgeConfig
    price: Price
    client: ModelClient
    prompt: QuestionPrompt
    verdicts: dict[Pair, Verdict] = field(default_factory=dict)

    async def ask(
        self, pairs: Sequence[Pair], *, store: GenerationStore, budget: Budget, progress: Progress
    ) -> EngineStats:
        """Ask about the pairs, each once; stored verdicts are not asked again.

        Raises:
            UserError: as `engine.sample`. What was answered until then is stored.
        """
        pair_of = {pair_id(pair): pair for pair in pairs}

        def deliver(call: PlannedCall, generation: Generation) -> None:
            self.verdicts[pair_of[call.case_id]] = _verdict(generation)

        return await ask_questions(
            [judge_question(self.config, self.prompt, pair) for pair in pair_of.values()],
            Endpoint(self.config.model, self.price, self.client, "equivalence.judge.max_tokens"),
            store=store,
            budget=budget,
            deliver=deliver,
            progress=progress,
        )


def pair_id(pair: Pair) -> str:
    """Return the id of a pair, which its call has as the case id."""
    text = "\x1f".join((pair.question, pair.left, pair.right))
    return "p" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def judge_question(config: JudgeConfig, prompt: QuestionPrompt, pair: Pair) -> Question:
    """Return the question whether the answers of a pair mean the same."""
    return Question(pair_id(pair), "judge", prompt.id, render_pair(prompt, pair), _SCHEMA, config.max_tokens)


def judge_ceiling(
    config: JudgeConfig,
    price: Price,
    prompt: QuestionPrompt,
    cases: Iterable[Case],
    *,
    answers: int,
    answer_tokens: int,
) -> QuestionEstimate:
    """Return the ceiling for these cases.

    Each case has `answers` answers of at most `answer_tokens` tokens, and its target. The number of pairs that words leave
    open is only known once the answers are stored. Until then each answer counts as different from all others and as long as
    its limit allows. The ceiling is therefore far above the usual cost.
    """
    calls = input_tokens = 0
    for case in cases:
        texts = answers + (case.target is not None)
        pairs = min(config.pairs_per_case, math.comb(texts, 2))
        bare = _call(config, prompt, Pair(case.user, "", ""))
        logged = estimate_tokens([Message("user", case.target)], {}) if case.target else 0
        calls += pairs
        input_tokens += pairs * (bare.input_tokens + 2 * max(answer_tokens, logged))
    limit = _call(config, prompt, Pair("", "", "")).request.output_limit
    return ceiling(calls, input_tokens, calls * limit, price)


def _call(config: JudgeConfig, prompt: QuestionPrompt, pair: Pair) -> PlannedCall:
    return next(judge_question(config, prompt, pair).calls(config.model))


def _verdict(generation: Generation) -> Verdict:
    if generation.error is not None:
        return Verdict(None, generation.error)
    same = read_verdict(generation.text)
    return Verdict(same, NO_VERDICT if same is None else None, generation.cost_usd)
