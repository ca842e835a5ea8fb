"""One question to a model, which shows what a list of models cannot; for `curator doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from curator.committee.empty_answers import empty_reason
from curator.committee.endpoints import COMMITTEE_LIMIT, cost_bound, provider_error
from curator.committee.plan import endpoint_of, name_at_endpoint
from curator.committee.prices import price_of
from curator.committee.providers.open import open_clients
from curator.committee.requests import CallFailed, ModelReply, ModelRequest, PlannedCall
from curator.config import ModelConfig
from curator.errors import ConfigError, UserError
from curator.records import Member, Message
from curator.records.spend import PICODOLLARS
from curator.text.display import money

MOST_USD = 0.05
"""The most that one question may cost; a dearer model is not asked."""
_QUESTION = "Reply with the word OK."


def probe(model: ModelConfig, max_tokens: int, *, environ: Mapping[str, str], now: float) -> str:
    """Ask a model one question with the token limit of a run, and return the result in words.

    Raises:
        UserError: no answer came, or an empty one; or the question may cost more than `MOST_USD`.
    """
    member = Member(f"{model.name}/probe", model.name, "probe", 1.0, max_tokens, dict(model.options))
    request = ModelRequest(
        endpoint_of(model),
        name_at_endpoint(model),
        (Message("user", _QUESTION),),
        1.0,
        max_tokens,
        options=model.options,
    )
    usd = cost_bound(request, price_of(model)).picodollars / PICODOLLARS
    if usd > MOST_USD:
        raise ConfigError(
            f"not asked: one question may cost {money(usd, at_most=True)}", remedy="the first call of a run will tell"
        )
    outcome = asyncio.run(_ask(model, request, environ))
    if isinstance(outcome, CallFailed):
        raise provider_error(model, request.endpoint, outcome, now=now)
    failed = outcome.failure
    if failed is not None and failed.cause == "token_limit":
        raise UserError(
            empty_reason(PlannedCall("probe", member, request, 0), COMMITTEE_LIMIT, failed),
            remedy=f"raise `{COMMITTEE_LIMIT}`, or the limit in the model's `options`: a model that reasons may need thousands",
        )
    if failed is not None:
        raise provider_error(model, request.endpoint, failed, now=now)
    spent = f" ({outcome.usage.output_tokens:,} output tokens)" if outcome.usage else ""
    return f"answers one question{spent}"


async def _ask(model: ModelConfig, request: ModelRequest, environ: Mapping[str, str]) -> ModelReply | CallFailed:
    async with open_clients([model], environ=environ) as clients:
        try:
            return await clients[model.name].complete(request)
        except CallFailed as failed:
            return failed
