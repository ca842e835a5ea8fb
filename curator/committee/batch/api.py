"""OpenAI's Batch API through its SDK: uploads, batches, downloads and their failures."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

from curator.committee.clock import Clock
from curator.committee.endpoints import asks_too_long, backoff_s
from curator.committee.providers.keys import NO_KEY, api_key, proxy_for, secret_of
from curator.committee.providers.openai_compatible import CONNECT_S
from curator.committee.providers.refusals import failure, one_line
from curator.committee.requests import CallFailed
from curator.config import ModelConfig, Price
from curator.config.endpoint import OPENAI_BASE_URL

if TYPE_CHECKING:
    import httpx
    from openai import AsyncOpenAI
    from openai.types import Batch


MAX_RESULTS_BYTES = 8 * 1024**3
"""The most bytes of a file of results: 170 KB for each of the 50,000 answers that a batch can have."""
_RESULTS_TOO_LARGE = "a file of results has no end, or is too large for the answers of one batch; check `base_url`"
CHAT_URL: Final = "/v1/chat/completions"
NONCE = "curator_nonce"  # the field of a batch's metadata that identifies its row in the store

_PAGE = 100  # the most batches that the provider lists at a time
_TRIES = 5
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Largest size of a file of requests, in lines and in bytes.

    The provider accepts 50,000 requests and 200 MB (https://platform.openai.com/docs/api-reference/batch/create).
    """

    lines: int = 50_000
    size: int = 190_000_000


@dataclass(frozen=True, slots=True)
class BatchEndpoint:
    """A model in batch mode: its config, its batch price, and its client.

    `open_batch_client` makes the client.
    """

    config: ModelConfig
    price: Price
    client: AsyncOpenAI
    limits: FileLimits = FileLimits()


def open_batch_client(model: ModelConfig, environ: Mapping[str, str]) -> AsyncOpenAI:
    """Return the SDK's client for a model's endpoint, an async context manager.

    Nothing is connected yet.

    It never retries by itself: a batch that is made twice is billed twice. Like the client of live calls, it takes only
    the key and the proxy from the environment.

    Raises:
        ConfigError: the variable of the key is missing or does not hold one.
    """
    import httpx
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    from curator.committee.providers.response_limits import limited

    base_url = model.base_url or OPENAI_BASE_URL
    key = api_key(model, environ)
    proxy = proxy_for(base_url, environ)
    transport = httpx.AsyncHTTPTransport(proxy=proxy)
    send = limited(transport.handle_async_request, streamed=_is_file)
    transport.handle_async_request = send  # type: ignore[assignment, method-assign]
    client = AsyncOpenAI(
        api_key=key or NO_KEY,
        base_url=base_url,
        max_retries=0,
        timeout=httpx.Timeout(model.timeout_s, connect=min(model.timeout_s, CONNECT_S)),
        http_client=DefaultAsyncHttpxClient(transport=transport),
    )
    # The SDK reads these from the process's environment; live calls do not send them either.
    client.organization = client.project = client.admin_api_key = None
    return client


def _is_file(request: httpx.Request) -> bool:
    """Return whether a request asks for a file of results, which `BatchApi.download` limits."""
    return request.method == "GET" and request.url.path.endswith("/content")


class BatchApi:
    """The API calls that batches need.

    Each one raises CallFailed, whose message never contains the key.

    All calls but `create` and `retrieve` are retried, unless the provider asks for a longer pause than `patience_s` seconds.
    """

    def __init__(self, client: AsyncOpenAI, clock: Clock, *, patience_s: float = math.inf) -> None:
        self._client = client
        self._clock = clock
        self._patience_s = patience_s
        self._secret = secret_of(client.api_key)

    def without_secret(self, line: bytes) -> bytes:
        """Return a line of the provider with the key blacked out."""
        return line.replace(self._secret.encode(), b"[key]") if self._secret else line

    def shown(self, message: str) -> str:
        """Return a message of the provider as one short line without the key."""
        return one_line(message, secrets=(self._secret,))

    async def upload(self, file: BinaryIO) -> str:
        """Upload a file of requests and return its id. An upload costs nothing."""

        async def attempt() -> str:
            file.seek(0)
            uploaded = await self._client.files.create(file=("requests.jsonl", file), purpose="batch")
            return _identity(uploaded)

        return await self._persistently(attempt)

    async def create(self, file_id: str, nonce: str) -> str:
        """Make a batch of an uploaded file and return its id.

        It is tried once. After an ambiguous failure, search for the nonce.
        """

        async def attempt() -> str:
            batch = await self._client.batches.create(
                input_file_id=file_id, endpoint=CHAT_URL, completion_window="24h", metadata={NONCE: nonce}
            )
            return _identity(batch)

        return await self._once(attempt)

    async def find(self, nonce: str) -> str | None:
        """Return the id of the batch with that nonce; None without one.

        All batches that the key can see are searched.
        """

        async def attempt() -> str | None:
            async for batch in self._client.batches.list(limit=_PAGE):
                if (batch.metadata or {}).get(NONCE) == nonce:
                    return _identity(batch)
            return None

        return await self._persistently(attempt)

    async def retrieve(self, batch_id: str) -> Batch:
        """Return the state of a batch."""

        async def attempt() -> Batch:
            batch = await self._client.batches.retrieve(batch_id)
            _identity(batch)
            return batch

        return await self._once(attempt)

    async def download(self, file_id: str, into: BinaryIO) -> None:
        """Write a file of results to `into`, from its start.

        A file that is larger than `MAX_RESULTS_BYTES` is a terminal failure.
        """

        async def attempt() -> None:
            into.seek(0)
            into.truncate()
            async with self._client.files.with_streaming_response.content(file_id) as response:
                async for chunk in response.iter_bytes():
                    if into.tell() + len(chunk) > MAX_RESULTS_BYTES:
                        raise CallFailed("terminal", _RESULTS_TOO_LARGE)
                    into.write(chunk)

        await self._persistently(attempt)

    async def _persistently(self, attempt: Callable[[], Awaitable[_Answer]]) -> _Answer:
        for count in range(1, _TRIES):
            try:
                return await self._once(attempt)
            except CallFailed as failed:
                if failed.kind in {"terminal", "rejected"} or asks_too_long(failed, self._patience_s):
                    raise
                wait = backoff_s(count, failed, self._clock.random())
            await self._clock.sleep(wait)
        return await self._once(attempt)

    async def _once(self, attempt: Callable[[], Awaitable[_Answer]]) -> _Answer:
        # The failure is raised here: an exception of the SDK, which holds our headers, must not be its context.
        outcome = await self._outcome(attempt)
        if isinstance(outcome, CallFailed):
            raise outcome
        return outcome

    async def _outcome(self, attempt: Callable[[], Awaitable[_Answer]]) -> _Answer | CallFailed:
        import httpx
        import openai

        try:
            return await attempt()
        except CallFailed as failed:
            return self._failed(failed)
        except openai.APIStatusError as error:
            return self._refused(error.response)
        except openai.APIConnectionError as error:
            return self._failed(_broken(error.__cause__ or error))
        except (openai.APIError, httpx.HTTPError, ValueError, AttributeError) as error:
            # A body that was cut off, or is not JSON, or has another type: the SDK does not check it.
            return self._failed(CallFailed("ambiguous", f"the answer cannot be read ({type(error).__name__})"))

    def _refused(self, response: httpx.Response) -> CallFailed:
        return failure(
            response.status_code, response.content, response.headers, now=self._clock.now, secrets=(self._secret,)
        )

    def _failed(self, failed: CallFailed) -> CallFailed:
        text = self.shown(str(failed))
        return CallFailed(failed.kind, text, status=failed.status, retry_after_s=failed.retry_after_s)


def _broken(error: BaseException) -> CallFailed:
    """Return the failure of a request that got no response, or not the whole of it."""
    import httpx

    from curator.committee.providers.response_limits import BodyTooLarge

    if isinstance(error, BodyTooLarge):
        return CallFailed("ambiguous", str(error))
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return CallFailed("retryable", f"no connection: {error or type(error).__name__}")
    return CallFailed("ambiguous", f"the connection broke: {type(error).__name__}")


def _identity(resource: object) -> str:
    """Return the id of a resource as the provider gave it.

    Raises:
        ValueError: it has no id.
    """
    identity = getattr(resource, "id", None)
    if not isinstance(identity, str) or not identity:
        raise ValueError("no id")
    return identity
