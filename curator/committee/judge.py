"""LLM judge: asks a model whether two answers mean the same, through the sampling engine.

A verdict is a generation like any other: paid for once, stored, and counted in the budget. The compared texts come from
logs and models, and may try to steer the judge. They are put between lines with a code that their authors could not know.
Only `{"same": true}` and `{"same": false}` are verdicts; any other reply counts as undecided.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import yaml

from curator.committee.budget import Budget
from curator.committee.endpoints import ONE_TEMPERATURE, Endpoint, cost_usd
from curator.committee.engine import EngineStats, sample
from curator.committee.engine_context import TemperatureRefused
from curator.committee.plan import endpoint_of, estimate_tokens, name_at_endpoint
from curator.committee.requests import ModelClient, ModelRequest, PlannedCall
from curator.config import JudgeConfig, Price
from curator.config.yaml_text import parse_yaml
from curator.disagreement.equivalence.leader_clustering import Pair
from curator.errors import ConfigError
from curator.io.assets import asset
from curator.progress import Progress
from curator.records import Case, Generation, JsonValue, Member, Message, stable_unit
from curator.state.generations import GenerationStore

PROMPT = "same-answer"
NO_VERDICT = "the reply is not a verdict"
"""The reply itself is not quoted: it may quote the logs, and each reply would be a reason of its own."""
QUESTION_LIMIT = 2000
"""Characters of a question that the judge sees; a longer question is shortened to its head and its tail."""

_SCHEMA: dict[str, JsonValue] = {
    "type": "json_schema",
    "json_schema": {
        "name": "verdict",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"same": {"type": "boolean"}},
            "required": ["same"],
            "additionalProperties": False,
        },
    },
}
_FORM = re.compile(r"---\n(?P<front>.*?\n)---\n\[system\]\n(?P<system>.*?)\n\[user\]\n(?P<user>.*)", re.DOTALL)
_PLACE = re.compile(r"\{\{ (nonce|question|first|second) \}\}")
_FENCE = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JudgePrompt:
    """The judge's prompt: two templates.

    Their places are `{{ nonce }}`, `{{ question }}`, `{{ first }}` and `{{ second }}`.

    `digest` is the SHA-256 (hex) of its file.
    """

    id: str
    version: int
    digest: str
    system: str
    user: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of the judge on a pair: True, False, or None with the `reason`."""

    same: bool | None
    reason: str | None = None
    cost_usd: float = 0.0


def load_prompt(path: Path | None = None) -> JudgePrompt:
    """Return the prompt that ships, or the prompt in a file.

    Raises:
        ConfigError: the file cannot be read, or is not of the form.
    """
    path = path or asset("prompts", "judge", f"{PROMPT}.md")
    remedy = "reinstall curator, or fix the file: front matter with `id` and `version`, then [system] and [user]"
    try:
        content = path.read_bytes()
        form = _FORM.fullmatch(content.decode("utf-8-sig").replace("\r\n", "\n").strip())
        front = parse_yaml(form["front"], first_line=2) if form else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{str(path)!r}: the judge's prompt cannot be read ({error})", remedy=remedy) from error
    if not form or not isinstance(front, dict) or front.get("id") != path.stem or type(front.get("version")) is not int:
        raise ConfigError(f"{str(path)!r}: this is not a prompt for a judge", remedy=remedy)
    if missing := {"question", "first", "second", "nonce"} - set(_PLACE.findall(form["user"])):
        raise ConfigError(f"{str(path)!r}: [user] lacks {{{{ {min(missing)} }}}}", remedy=remedy)
    digest = hashlib.sha256(content).hexdigest()
    return JudgePrompt(path.stem, front["version"], digest, form["system"].strip(), form["user"].strip())


def render_pair(prompt: JudgePrompt, pair: Pair) -> tuple[Message, ...]:
    """Return the messages that ask about a pair.

    A hash of the pair decides which answer comes first. Each pair is asked in one order only, and the error of a judge
    that prefers the first answer is random. The code is a hash of all three texts, so that the same pair gives the same
    request. No text can contain the code: it would change with the text.
    """
    first, second = pair.left, pair.right
    if stable_unit("judge", pair.question, first, second) < 0.5:
        first, second = second, first
    whole = hashlib.sha256("\x1f".join((pair.question, first, second)).encode("utf-8", "surrogatepass"))
    values = {
        "nonce": whole.hexdigest()[:32],
        "question": _shortened(pair.question),
        "first": first,
        "second": second,
    }

    def filled(template: str) -> str:
        # one pass, so that a `{{ first }}` inside an answer stays what it is
        return _PLACE.sub(lambda place: values[place[1]], template)

    return Message("system", filled(prompt.system)), Message("user", filled(prompt.user))


def read_verdict(text: str) -> bool | None:
    """Return the verdict of a reply; None where it is not one.

    A verdict is a JSON object with only `same`, with or without a code fence.
    """
    plain = text.rpartition("</think>")[2].strip()
    fenced = _FENCE.fullmatch(plain)
    try:
        reply = orjson.loads(fenced[1] if fenced else plain)
    except orjson.JSONDecodeError:
        return None
    same = reply.get("same") if isinstance(reply, dict) and len(reply) == 1 else None
    return same if isinstance(same, bool) else None


@dataclass
class Judge:
    """Asks about pairs. `verdicts` holds the verdicts on all of them."""

    config: JudgeConfig
    price: Price
    client: ModelClient
    prompt: JudgePrompt
    verdicts: dict[Pair, Verdict] = field(default_factory=dict)

    async def ask(
        self, pairs: Sequence[Pair], *, store: GenerationStore, budget: Budget, progress: Progress
    ) -> EngineStats:
        """Ask about the pairs, each once; stored verdicts are not asked again.

        Raises:
            UserError: as `engine.sample`. What was answered until then is stored.
        """
        noted = store.noted(endpoint_of(self.config.model), self.config.model.model, ONE_TEMPERATURE)
        try:
            return await self._ask(pairs, 1.0 if noted else 0.0, store=store, budget=budget, progress=progress)
        except TemperatureRefused:
            store.note(endpoint_of(self.config.model), self.config.model.model, ONE_TEMPERATURE)
            return await self._ask(pairs, 1.0, store=store, budget=budget, progress=progress)

    async def _ask(
        self, pairs: Sequence[Pair], temperature: float, *, store: GenerationStore, budget: Budget, progress: Progress
    ) -> EngineStats:
        pair_of = {pair_id(pair): pair for pair in pairs}

        def deliver(call: PlannedCall, generation: Generation) -> None:
            self.verdicts[pair_of[call.case_id]] = _verdict(generation)

        endpoint = Endpoint(self.config.model, self.price, self.client)
        calls = [judge_call(self.config, self.prompt, pair, temperature) for pair in pair_of.values()]
        return await sample(
            calls,
            {self.config.model.name: endpoint},
            store=store,
            budget=budget,
            deliver=deliver,
            progress=progress,
        )


def pair_id(pair: Pair) -> str:
    """Return the id of a pair, which its call has as the case id."""
    text = "\x1f".join((pair.question, pair.left, pair.right))
    return "p" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def judge_call(config: JudgeConfig, prompt: JudgePrompt, pair: Pair, temperature: float = 0.0) -> PlannedCall:
    """Return the call that asks about a pair.

    `response_format` is bound to the schema unless the model's options set it.
    """
    model = config.model
    options: dict[str, JsonValue] = {"response_format": _SCHEMA, **model.options}
    messages = render_pair(prompt, pair)
    request = ModelRequest(
        endpoint=endpoint_of(model),
        model=name_at_endpoint(model),
        messages=messages,
        temperature=temperature,
        max_tokens=config.max_tokens,
        options=options,
    )
    member = Member("judge", model.name, prompt.id, temperature, config.max_tokens, dict(model.options))
    return PlannedCall(pair_id(pair), member, request, estimate_tokens(messages, options))


@dataclass(frozen=True, slots=True)
class JudgeEstimate:
    """The most that the judge can be asked, in calls, tokens and US dollars.

    The number of pairs that words leave open is only known once the answers are stored. Until then each answer counts as
    different from all others and as long as its limit allows. The ceiling is therefore far above the usual cost.
    """

    calls: int
    input_tokens: int
    max_output_tokens: int
    usd_max: float


def judge_ceiling(
    config: JudgeConfig,
    price: Price,
    prompt: JudgePrompt,
    cases: Iterable[Case],
    *,
    answers: int,
    answer_tokens: int,
) -> JudgeEstimate:
    """Return the ceiling for these cases.

    Each case has `answers` answers of at most `answer_tokens` tokens, and its target.
    """
    calls = input_tokens = 0
    for case in cases:
        texts = answers + (case.target is not None)
        pairs = min(config.pairs_per_case, math.comb(texts, 2))
        bare = judge_call(config, prompt, Pair(case.user, "", ""))
        logged = estimate_tokens([Message("user", case.target)], {}) if case.target else 0
        calls += pairs
        input_tokens += pairs * (bare.input_tokens + 2 * max(answer_tokens, logged))
    limit = judge_call(config, prompt, Pair("", "", "")).request.output_limit
    return JudgeEstimate(calls, input_tokens, calls * limit, cost_usd(input_tokens, calls * limit, price))


def _verdict(generation: Generation) -> Verdict:
    if generation.error is not None:
        return Verdict(None, generation.error)
    same = read_verdict(generation.text)
    return Verdict(same, NO_VERDICT if same is None else None, generation.cost_usd)


def _shortened(question: str) -> str:
    half = QUESTION_LIMIT // 2
    return question if len(question) <= QUESTION_LIMIT else f"{question[:half]}\n[...]\n{question[-half:]}"
