"""Client of every OpenAI-compatible endpoint: requests, replies and failures."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
from yarl import URL

from curator.committee.providers.hosts import OPENAI_BASE_URL
from curator.committee.providers.keys import api_key, proxy_for, secret_of
from curator.committee.rate_limits import limits_of
from curator.committee.requests import CallFailed, FailureKind, Limits, ModelClient, ModelReply, ModelRequest
from curator.config import ModelConfig
from curator.errors import ConfigError
from curator.records import Usage
from curator.records.token_logprobs import read_logprobs

MAX_BODY_BYTES = 64 * 1024 * 1024
"""The most bytes of one response, unpacked, that are read into memory."""
TOO_LARGE = f"the response is larger than {MAX_BODY_BYTES // 1024**2} MB (unpacked), so that it was not read"
CONNECT_S = 30.0
"""The most seconds to wait for a connection."""
_USER_INFO = re.compile(r"//[^/@\s]+@")  # the name and password of a proxy, as a URL carries them
_MESSAGE_CHARS = 300
_ERROR_BODY_BYTES = 65_536

_TERMINAL_STATUS = frozenset({401, 402, 403, 404})
_TERMINAL_CODES = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "account_deactivated",
        "invalid_api_key",
        "model_not_found",
    }
)
_RETRYABLE_STATUS = frozenset({408, 409, 425, 429})
_MALFORMED = (KeyError, ValueError, TypeError, AttributeError)
_GATEWAY_TIMEOUTS = frozenset({504, 524})  # the model behind the gateway may have answered and billed


class OpenAIClient:
    """Asks `{base_url}/chat/completions` through one pool of connections.

    It is an async context manager.

    The key is only sent as a bearer token. It is blacked out where the endpoint repeats it. Without `timeout_s`, an answer
    has no time limit while the connection is open. `proxy` is the URL of an HTTP proxy.

    Raises:
        ConfigError: `base_url` is not a URL of http or https, or contains credentials.
    """

    def __init__(
        self, base_url: str, api_key: str | None, *, timeout_s: float | None, concurrency: int, proxy: str | None = None
    ) -> None:
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
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError:
            return self._failed("ambiguous", f"the answer is not JSON: {body[:80].decode(errors='replace')!r}")
        reply = parse_reply(data, limits_of(headers))
        if reply is not None:
            return reply
        if isinstance(data, dict) and data.get(
            "error"
        ):  # some routers answer 200 and put the status of the model's endpoint into the body
            status = data["error"].get("code") if isinstance(data["error"], dict) else None
            return self._refused(status if isinstance(status, int) else 502, body, {}, "")
        return self._failed("ambiguous", "the answer does not contain a chat completion")

    def _refused(self, status: int, body: bytes, headers: Mapping[str, str], location: str) -> CallFailed:
        message, codes = describe_error(body)
        if 300 <= status < 400:
            message = f"redirects to {location}; write the final address into `base_url`"
        return CallFailed(
            classify(status, codes),
            self._shown(f"{status} {message}".rstrip()),
            status=status,
            retry_after_s=retry_after_s(headers, now=time.time),
            limits=limits_of(headers),
        )

    def _failed(self, kind: FailureKind, message: str) -> CallFailed:
        return CallFailed(kind, self._shown(message))

    def _shown(self, message: str) -> str:
        return one_line(message, secrets=(self._api_key or "",))


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
    ) as client:
        yield client


def parse_reply(data: Any, limits: Limits | None = None) -> ModelReply | None:  # noqa: ANN401  any JSON at all
    """Return the reply in a chat completion; None for any other JSON.

    A refusal counts as text; a call of tools without text becomes `{"tool_calls":[{"arguments","name"}]}`.
    """
    try:
        first, *others = data["choices"]
        return _choice(
            first, usage=_usage(data.get("usage")), more=tuple(_readable(others)) if others else (), limits=limits
        )
    except _MALFORMED:
        return None


def _readable(choices: list[Any]) -> Iterator[ModelReply]:
    """Iterate over the answers up to the first malformed one."""
    with contextlib.suppress(*_MALFORMED):
        for choice in choices:
            yield _choice(choice)


def _choice(
    choice: Any,  # noqa: ANN401
    usage: Usage | None = None,
    more: tuple[ModelReply, ...] = (),
    limits: Limits | None = None,
) -> ModelReply:
    """Return one of the answers in a chat completion."""
    message = choice["message"]
    text = _content(message.get("content")) or message.get("refusal") or ""
    if message.get("tool_calls") and not text.strip():
        text = _calls(message["tool_calls"])
    finish_reason = choice.get("finish_reason")
    reason = finish_reason if isinstance(finish_reason, str) else None
    logprobs = read_logprobs(choice.get("logprobs"))
    values, tokens = (logprobs.values, logprobs.tokens) if logprobs else (None, ())
    return ModelReply(text, reason, usage, values, tokens, more, limits)


def _content(content: Any) -> str:  # noqa: ANN401
    """Return the text of a message's content, which may be a list of parts."""
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if part.get("type") == "text")
    if content is None or isinstance(content, str):
        return content or ""
    raise TypeError


def _calls(calls: list[Any]) -> str:
    """Return calls of tools as text.

    The log readers write them in the same way, so that both can be compared.
    """
    functions = [call["function"] for call in calls]
    listing = [{"name": f["name"], "arguments": _arguments(f.get("arguments"))} for f in functions]
    return orjson.dumps({"tool_calls": listing}, option=orjson.OPT_SORT_KEYS).decode()


def _arguments(arguments: Any) -> Any:  # noqa: ANN401
    """Return a call's arguments as a value; as text where they are not a JSON object."""
    try:
        value = orjson.loads(arguments or "")
    except orjson.JSONDecodeError:
        return arguments or ""
    return value if isinstance(value, dict) else arguments


def _usage(usage: Any) -> Usage | None:  # noqa: ANN401
    if not isinstance(usage, dict):
        return None
    asked, answered = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if (
        isinstance(asked, int)
        and isinstance(answered, int)
        and 0 <= min(asked, answered) <= max(asked, answered) < 2**31
    ):
        return Usage(asked, answered)
    return None


def classify(status: int, codes: Collection[str] = ()) -> FailureKind:
    """Return the kind of a refusal, by its HTTP status and the error codes in its body."""
    if not _TERMINAL_CODES.isdisjoint(codes):
        return "terminal"
    if status == 403 and "flagged_input" in codes:  # a router's moderation refused this one request
        return "rejected"
    if status in _TERMINAL_STATUS or 300 <= status < 400:
        return "terminal"
    if status in _GATEWAY_TIMEOUTS:
        return "ambiguous"
    if status in _RETRYABLE_STATUS or status >= 500:
        return "retryable"
    return "rejected"


def describe_error(body: bytes) -> tuple[str, frozenset[str]]:
    """Return the message and the codes in an error body.

    Servers differ in where they put them.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace"), frozenset()
    if isinstance(data, list) and data:
        data = data[0]
    error = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(error, dict):
        return str(error), frozenset()
    codes = {error.get("code"), error.get("type")}
    metadata = error.get("metadata")
    codes.update(metadata if isinstance(metadata, dict) else ())
    message = error.get("message") or error.get("detail") or orjson.dumps(error).decode()
    return str(message), frozenset(code for code in codes if isinstance(code, str))


def retry_after_s(headers: Mapping[str, str], *, now: Callable[[], float]) -> float | None:
    """Return the seconds that the server asks to wait; None where it does not ask.

    `retry-after-ms` comes before `Retry-After`, in seconds or as an HTTP date (RFC 9110).
    """
    for name, unit in (("retry-after-ms", 0.001), ("Retry-After", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return max(0.0, float(value) * unit)
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - now())
        except ValueError:
            pass
    return None


def one_line(message: str, *, secrets: Collection[str]) -> str:
    """Return the message as one short line with the secrets blacked out."""
    for secret in secrets:
        if secret_of(secret):
            message = message.replace(secret, "[key]")
    message = _USER_INFO.sub("//", " ".join(message.split()))
    return message if len(message) <= _MESSAGE_CHARS else message[: _MESSAGE_CHARS - 3] + "..."


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
