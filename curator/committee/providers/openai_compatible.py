"""Client of every OpenAI-compatible endpoint: requests, replies and failures."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
from yarl import URL

from curator.committee.providers.completions import Envelope, read_body
from curator.committee.providers.keys import api_key, proxy_for, secret_of
from curator.committee.providers.refusals import failure, one_line
from curator.committee.requests import CallFailed, FailureKind, ModelClient, ModelReply, ModelRequest
from curator.config import ModelConfig
from curator.config.endpoint import OPENAI_BASE_URL
from curator.errors import ConfigError

MAX_BODY_BYTES = 64 * 1024 * 1024
"""The most bytes of one response, unpacked, that are read into memory."""
TOO_LARGE = f"the response is larger than {MAX_BODY_BYTES // 1024**2} MB (unpacked), so that it was not read"
CONNECT_S = 30.0
"""The most seconds to wait for a connection."""
LIST_S = 10.0
"""The most seconds to wait for the list of models."""
_WINDOW_KEYS = (
    "max_model_len",
    "context_length",
    "context_window",
    "max_context_length",
    "loaded_context_length",
    "n_ctx",
)
_ERROR_BODY_BYTES = 65_536


class OpenAIClient:
    """Asks `{base_url}/chat/completions` through one pool of connections.

    It is an async context manager.

    The key is only sent as a bearer token. It is blacked out where the endpoint repeats it. Without `timeout_s`, an answer
    has no time limit while the connection is open. `proxy` is the URL of an HTTP proxy; `model` is the name to look up in the
    endpoint's list of models.

    Raises:
        ConfigError: `base_url` is not a URL of http or https, or contains credentials.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        timeout_s: float | None,
        concurrency: int,
        proxy: str | None = None,
        model: str = "",
    ) -> None:
        self._model = model
        self._url = _completions_url(base_url)
        self._api_key = api_key
        self._secret = secret_of(api_key).encode()
        self._timeout_s = timeout_s
        self._concurrency = concurrency
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, without retries.

        Raises:
            CallFailed: no answer came; its kind says what to do.
        """
        # The failure is raised here: an exception of aiohttp, which may hold our headers, must not be its context.
        outcome = await self._post(orjson.dumps(request.body()))
        if isinstance(outcome, CallFailed):
            raise outcome
        return outcome

    async def context_window(self) -> int | None:
        """Return the most tokens of a prompt by the endpoint's `/models`; None if it does not say."""
        session = self._session or self._open()
        try:
            async with session.get(
                self._url.parent.parent / "models", allow_redirects=False, proxy=self._proxy, timeout=_timeout(LIST_S)
            ) as response:
                body = await _whole_body(response) if response.status == 200 else None
            return listed_window(orjson.loads(body or b"null"), self._model)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None

    async def _post(self, body: bytes) -> ModelReply | CallFailed:
        session = self._session or self._open()
        try:
            async with session.post(self._url, data=body, allow_redirects=False, proxy=self._proxy) as response:
                if response.status == 200:
                    body_read = await _whole_body(response)
                    if body_read is None:
                        return self._failed("ambiguous", TOO_LARGE)
                    return self._read(body_read, response.headers)
                location = response.headers.get("Location", "")
                return self._refused(response.status, await _start_of(response), response.headers, location)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as error:
            return self._failed("retryable", f"no connection: {error}")
        except TimeoutError:
            return self._failed("ambiguous", f"no answer within {self._timeout_s or 0:g} s")
        except aiohttp.ClientError as error:
            return self._failed("ambiguous", f"the connection broke: {error or type(error).__name__}")

    def _open(self) -> aiohttp.ClientSession:
        headers = {"Content-Type": "application/json"}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency),
            timeout=_timeout(self._timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
        )
        return self._session

    def _read(self, body: bytes, headers: Mapping[str, str]) -> ModelReply | CallFailed:
        if self._secret:
            body = body.replace(self._secret, b"[key]")
        outcome = read_body(body, Envelope(headers, time.time, (self._api_key or "",)))
        if isinstance(outcome, CallFailed) and outcome.status is None and outcome.cause is None:
            return self._failed(outcome.kind, str(outcome))
        return outcome

    def _refused(self, status: int, body: bytes, headers: Mapping[str, str], location: str) -> CallFailed:
        redirect = f"redirects to {location}; write the final address into `base_url`"
        return failure(
            status,
            body,
            headers,
            now=time.time,
            secrets=(self._api_key or "",),
            message=redirect if 300 <= status < 400 else None,
        )

    def _failed(self, kind: FailureKind, message: str) -> CallFailed:
        return CallFailed(kind, one_line(message, secrets=(self._api_key or "",)))


@asynccontextmanager
async def open_openai(model: ModelConfig, environ: Mapping[str, str]) -> AsyncIterator[ModelClient]:
    """Open a client of a model at its endpoint; without `base_url` that is OpenAI's.

    Raises:
        ConfigError: the variable of the key is missing or does not hold one, or `base_url` is not a URL.
    """
    base_url = model.base_url or OPENAI_BASE_URL
    async with OpenAIClient(
        base_url,
        api_key(model, environ),
        timeout_s=model.timeout_s,
        concurrency=model.concurrency,
        proxy=proxy_for(base_url, environ),
        model=model.model,
    ) as client:
        yield client


def listed_window(listing: Any, model: str) -> int | None:  # noqa: ANN401  any JSON at all
    """Return the most tokens of a model's prompt by `GET /models`; None where it does not say.

    vLLM gives `max_model_len`, OpenRouter and Together `context_length`, Groq `context_window`, Mistral `max_context_length`,
    LM Studio also `loaded_context_length`, and llama.cpp `n_ctx` in `meta`. The smallest of several counts.
    """
    models = listing.get("data") if isinstance(listing, dict) else listing
    for entry in models if isinstance(models, list) else ():
        if not isinstance(entry, dict) or entry.get("id") != model:
            continue
        places = (entry, entry.get("meta"), entry.get("top_provider"))
        sizes = [place.get(key) for place in places if isinstance(place, dict) for key in _WINDOW_KEYS]
        return min((size for size in sizes if isinstance(size, int) and size > 0), default=None)
    return None


def _timeout(seconds: float | None) -> aiohttp.ClientTimeout:
    if seconds is None:
        return aiohttp.ClientTimeout(total=None)
    return aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, CONNECT_S))


async def _whole_body(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the body, unpacked; None if it is larger than `MAX_BODY_BYTES`."""
    size = response.content_length
    if size is not None and size <= MAX_BODY_BYTES and "Content-Encoding" not in response.headers:
        return await response.read()
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            response.close()
            return None
    return bytes(body)


async def _start_of(response: aiohttp.ClientResponse) -> bytes:
    """Return the start of an error body, or the part that arrived."""
    body = b""
    try:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) >= _ERROR_BODY_BYTES:
                break
    except (aiohttp.ClientError, TimeoutError):
        pass  # the status alone says enough
    return body


def _completions_url(base_url: str) -> URL:
    if "@" in base_url:
        raise ConfigError(
            "base_url: it contains credentials", remedy="remove them, and name a variable in `api_key_env`"
        )
    try:
        url = URL(base_url)
        well_formed = url.scheme in {"http", "https"} and bool(url.host)
    except ValueError:
        well_formed = False
    if not well_formed:
        raise ConfigError(
            f"base_url: {base_url!r} is not the address of an endpoint",
            remedy="write it with http:// or https://, up to and including /v1",
        )
    return (URL(str(url.with_query(None)).rstrip("/")) / "chat" / "completions").with_query(url.query)
