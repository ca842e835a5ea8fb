"""The client for every provider that speaks another dialect, through litellm."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from curator.committee.providers.completions import Envelope, read_completion
from curator.committee.providers.hosts import is_own_host
from curator.committee.providers.keys import NO_KEY, api_key
from curator.committee.providers.refusals import failure, one_line
from curator.committee.requests import CallFailed, ModelClient, ModelReply, ModelRequest
from curator.config import ModelConfig
from curator.errors import ConfigError, MissingDependency

_NOT_SENT = frozenset({"ConnectError", "ConnectTimeout", "ClientConnectorError", "ConnectionTimeoutError"})
_BROKEN = frozenset({"Timeout", "TimeoutError", "APITimeoutError", "ReadTimeout", "ReadError", "RemoteProtocolError"})
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


@asynccontextmanager
async def open_litellm(model: ModelConfig, environ: Mapping[str, str]) -> AsyncIterator[ModelClient]:
    """Open a client of a model that litellm reaches; its first request imports litellm.

    Raises:
        ConfigError: the variable of the key is missing or does not hold one.
    """
    key = api_key(model, environ)
    if key is None and _is_foreign(model):
        key = NO_KEY
    # litellm finds most providers' keys itself, so that any secret of the environment may stand in a message.
    secrets = tuple(value for name, value in environ.items() if _SECRET_NAME.search(name))

    def make() -> LiteLLMClient:
        return LiteLLMClient(
            model.model, api_key=key, base_url=model.base_url, timeout_s=model.timeout_s, secrets=secrets
        )

    yield _LazyClient(make)


def _is_foreign(model: ModelConfig) -> bool:
    """Return whether `base_url` leads to a host that is not known to be the provider's own."""
    provider = model.model.partition("/")[0] if "/" in model.model else "openai"
    return model.base_url is not None and not is_own_host(provider, model.base_url)


class _LazyClient:
    """A LiteLLMClient that its first request makes, since importing litellm takes seconds."""

    def __init__(self, make: Callable[[], LiteLLMClient]) -> None:
        self._make = make
        self._lock = asyncio.Lock()
        self._client: LiteLLMClient | None = None

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, as LiteLLMClient does."""
        async with self._lock:
            if self._client is None:
                self._client = await asyncio.to_thread(self._make)
        return await self._client.complete(request)


class LiteLLMClient:
    """Asks any model that litellm knows, by litellm's name for it.

    The constructor imports litellm, which takes seconds. Without `api_key`, litellm uses the provider's own variables.
    `secrets` are blacked out in messages. litellm makes the connections, shares them in the whole process, and closes
    them when the process ends.

    Raises:
        MissingDependency: litellm is not installed.
        ConfigError: litellm does not know the model's provider.
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
        self._timeout_s = timeout_s
        self._secrets = (*secrets, api_key or "")
        try:
            self._litellm.get_llm_provider(model, api_base=base_url)
        except self._litellm.exceptions.BadRequestError:
            raise ConfigError(
                f"model {model!r}: litellm does not know this provider",
                remedy="write it as litellm does, with the provider in front: `anthropic/...`, `gemini/...`",
            ) from None

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, without retries.

        Raises:
            CallFailed: no answer came; its kind says what to do.
            MissingDependency: litellm needs a package for this request that is not installed.
        """
        # The failure is raised here: the exceptions of the SDKs, which may hold headers, must not be its context.
        outcome = await self._ask(request)
        if isinstance(outcome, CallFailed | MissingDependency):
            raise outcome
        return outcome

    async def _ask(self, request: ModelRequest) -> ModelReply | CallFailed | MissingDependency:
        fields = {**request.body(), **self._given, "num_retries": 0, "max_retries": 0}
        if "tools" in fields and importlib.util.find_spec("mcp") is None:
            # litellm looks for tools of MCP servers first and imports `mcp` for it. A committee's tools are never such.
            fields["_skip_mcp_handler"] = True
        try:
            async with asyncio.timeout(self._timeout_s):  # litellm's own limit counts from byte to byte
                response = await self._litellm.acompletion(**fields)
        except Exception as error:  # noqa: BLE001  litellm lets through every exception of its providers
            return self._failure(error)
        return read_completion(_as_openai(response.model_dump()), Envelope(secrets=self._secrets))

    def _failure(self, error: Exception) -> CallFailed | MissingDependency:
        """Return the failure of an exception, by its class, its causes and its status."""
        from curator.committee.providers.response_limits import BodyTooLarge

        chain = list(_chain(error))
        names = {type(link).__name__ for link in chain}
        message = one_line(f"{type(error).__name__}: {error}", secrets=self._secrets)
        if type(error) is TimeoutError:
            message = f"no answer within {self._timeout_s:g} s"
        response = next((link.response for link in chain if type(link).__name__ == "HTTPStatusError"), None)
        for link in chain:
            if isinstance(link, ImportError):
                package = (link.name or "it names").partition(".")[0]
                return MissingDependency(
                    f"provider `litellm`: a request needs the package {package!r} ({message})",
                    remedy=f"pip install {package}",
                )
            if isinstance(link, BodyTooLarge):
                return CallFailed("ambiguous", str(link))
        if names & _NOT_SENT:
            return CallFailed("retryable", message)
        status = getattr(error, "status_code", None)
        if names & _BROKEN or not isinstance(status, int) or (status >= 500 and response is None):
            return CallFailed("ambiguous", message)
        headers, body = getattr(response, "headers", {}), getattr(response, "content", b"")
        return failure(status, body, headers, now=time.time, secrets=self._secrets, message=message, more_codes=names)


def _import_litellm() -> Any:  # noqa: ANN401  the package is not typed well enough to say more
    """Import the package, switch its telemetry and log lines off, and limit its responses."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # without it, the import fetches a price list
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
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every URL, and some of them contain a key
    _limit_responses()
    return litellm


def _limit_responses() -> None:
    """Put `response_limits` around each transport that litellm makes from now on.

    litellm has no setting for it. Where its aiohttp transport is switched off (`DISABLE_AIOHTTP_TRANSPORT`), it makes no
    transport and leaves that to httpx: the transport is then made here, with litellm's settings of TLS. The transports of
    the environment's proxies follow from it.
    """
    import httpx
    import litellm
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

    from curator.committee.providers.response_limits import limited

    create = AsyncHTTPHandler.create_async_transport
    create_mounts: Any = getattr(AsyncHTTPHandler, "create_httpx_proxy_mounts", None)
    if getattr(create, "has_limits", False):
        return

    def create_limited(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        transport = create(*args, **kwargs)
        if transport is None and create_mounts is None:
            return None  # with a transport, an older litellm would not use the environment's proxies
        if transport is None:
            verify = kwargs.get("ssl_context") or kwargs.get("ssl_verify")
            cert = os.environ.get("SSL_CERTIFICATE", litellm.ssl_certificate)
            transport = httpx.AsyncHTTPTransport(verify=True if verify is None else verify, cert=cert)
        transport.handle_async_request = limited(transport.handle_async_request)
        return transport

    def create_limited_mounts(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        mounts = create_mounts(*args, **kwargs)
        for transport in filter(None, (mounts or {}).values()):
            transport.handle_async_request = limited(transport.handle_async_request)
        return mounts

    create_limited.has_limits = True  # type: ignore[attr-defined]
    AsyncHTTPHandler.create_async_transport = staticmethod(create_limited)
    if create_mounts is not None:
        AsyncHTTPHandler.create_httpx_proxy_mounts = staticmethod(create_limited_mounts)


def _chain(error: BaseException | None) -> Iterator[Any]:
    """Iterate over the exception and its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _as_openai(data: dict[str, Any]) -> dict[str, Any]:
    """Return litellm's answer in the shape of OpenAI's API.

    Refusals are in their place, and a usage of zeros is left out.
    """
    for choice in data.get("choices", ()):
        message = choice.get("message") or {}
        message.setdefault("refusal", (message.get("provider_specific_fields") or {}).get("refusal"))
        if isinstance(message.get("content"), str):  # lone surrogates, which no store takes
            message["content"] = message["content"].encode(errors="replace").decode()
    if not (data.get("usage") or {}).get("prompt_tokens"):
        data["usage"] = None
    return data
