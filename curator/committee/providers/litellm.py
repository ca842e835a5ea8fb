"""The client for every provider that speaks another dialect, through litellm."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection, Iterator
from typing import Any

from curator.committee.providers.openai_compatible import classify, describe_error, one_line, parse_reply, retry_after_s
from curator.committee.requests import CallFailed, ModelReply, ModelRequest
from curator.errors import ConfigError, MissingDependency

_NOT_SENT = frozenset({"ConnectError", "ConnectTimeout", "ClientConnectorError", "ConnectionTimeoutError"})
_BROKEN = frozenset({"Timeout", "APITimeoutError", "ReadTimeout", "ReadError", "RemoteProtocolError"})


class LiteLLMClient:
    """Asks any model that litellm knows, by litellm's name for it.

    litellm is imported here, which takes seconds. Without `api_key` it looks for the provider's own variables;
    `secrets` are blacked out in what a failure says. Its connections are litellm's own, which the whole process shares,
    and are closed by it when the process ends.

    Raises:
        MissingDependency: litellm is not installed.
        ConfigError: litellm knows no provider for the model.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str | None,
        timeout_s: float,
        secrets: Collection[str] = (),
    ) -> None:
        self._litellm = _import_litellm()
        self._given = {"api_key": api_key, "base_url": base_url, "timeout": timeout_s}
        self._secrets = (*secrets, api_key or "")
        try:
            self._litellm.get_llm_provider(model, api_base=base_url)
        except self._litellm.exceptions.BadRequestError:
            raise ConfigError(
                f"model {model!r}: litellm knows no such provider",
                remedy="write it as litellm does, with the provider in front: `anthropic/...`, `gemini/...`",
            ) from None

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, without retries.

        Raises:
            CallFailed: there is no answer, and its kind says what to do.
        """
        # The failure is raised out here: the exceptions of the SDKs, which may hold headers, must not be its context.
        outcome = await self._ask(request)
        if isinstance(outcome, CallFailed):
            raise outcome
        return outcome

    async def _ask(self, request: ModelRequest) -> ModelReply | CallFailed:
        try:
            response = await self._litellm.acompletion(**request.body(), **self._given, num_retries=0, max_retries=0)
        except Exception as error:  # noqa: BLE001  litellm lets through whatever its providers raise
            return self._failure(error)
        reply = parse_reply(_as_openai(response.model_dump()))
        return reply or CallFailed("ambiguous", "the answer holds no chat completion")

    def _failure(self, error: Exception) -> CallFailed:
        """What an exception means: by the classes in its chain, then by the status that the provider gave."""
        chain = list(_chain(error))
        names = {type(link).__name__ for link in chain}
        message = one_line(f"{type(error).__name__}: {error}", secrets=self._secrets)
        response = next((link.response for link in chain if type(link).__name__ == "HTTPStatusError"), None)
        if any(isinstance(link, ImportError) for link in chain):
            return CallFailed("terminal", message)
        if names & _NOT_SENT:
            return CallFailed("retryable", message)
        status = getattr(error, "status_code", None)
        if names & _BROKEN or not isinstance(status, int) or (status >= 500 and response is None):
            return CallFailed("ambiguous", message)
        headers = getattr(response, "headers", {})
        codes = describe_error(getattr(response, "content", b""))[1]
        return CallFailed(
            classify(status, codes), message, status=status, retry_after_s=retry_after_s(headers, now=time.time)
        )


def _import_litellm() -> Any:  # noqa: ANN401  the package is not typed well enough to say more
    """The package with its telemetry, its hints and its log lines switched off."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # the import fetches a price list otherwise
    try:
        import litellm
    except ImportError as error:
        raise MissingDependency(
            f"provider `litellm`: the package cannot be imported ({error})", remedy="pip install litellm"
        ) from error
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL, and some of them carry a key
    return litellm


def _chain(error: BaseException | None) -> Iterator[Any]:
    """The exception and those it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _as_openai(data: dict[str, Any]) -> dict[str, Any]:
    """Litellm's answer in the shape of the API: refusals in their place, no usage where it only made up zeros."""
    for choice in data.get("choices", ()):
        message = choice.get("message") or {}
        message.setdefault("refusal", (message.get("provider_specific_fields") or {}).get("refusal"))
        if isinstance(message.get("content"), str):  # lone surrogates, which no store takes
            message["content"] = message["content"].encode(errors="replace").decode()
    if not (data.get("usage") or {}).get("prompt_tokens"):
        data["usage"] = None
    return data
