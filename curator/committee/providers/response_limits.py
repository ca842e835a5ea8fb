"""Limits on a response: no redirect to another host, and no body without end.

The HTTP client below litellm follows redirects with the headers of some providers' keys in place, and reads and unpacks a
body of any size into memory. `limited` puts both limits around the transport of such a client.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import httpx

from curator.committee.providers.openai_compatible import MAX_BODY_BYTES, TOO_LARGE

if TYPE_CHECKING:
    Send = Callable[[httpx.Request], Awaitable[httpx.Response]]

_LARGE = "curator_large_body"  # the field of a request's extensions, which redirected requests inherit
_PIECE_BYTES = 1024 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # https://docs.python.org/3/library/zlib.html#zlib.decompress


class BodyTooLarge(httpx.ReadError):
    """A response has a larger body than `MAX_BODY_BYTES`."""

    def __init__(self) -> None:
        super().__init__(TOO_LARGE)


def limited(send: Send, *, streamed: Callable[[httpx.Request], bool] | None = None) -> Send:
    """Return the `handle_async_request` of a transport with both limits around it.

    The caller limits the body of a successful response to a request that is `streamed`. Such a request may be redirected
    to a host that stores files: the client must then drop the key, as that of OpenAI's SDK does.
    """

    async def handle_async_request(request: httpx.Request) -> httpx.Response:
        request.headers["Accept-Encoding"] = "gzip, deflate"
        large = request.extensions[_LARGE] = bool(request.extensions.get(_LARGE) or (streamed and streamed(request)))
        response = await send(request)
        if response.has_redirect_location and not large and _leaves_host(request, response.headers["Location"]):
            del response.headers["Location"]  # the client then reports the status as a refusal
        encoding = response.headers.pop("Content-Encoding", "").strip().lower()
        if isinstance(response.stream, httpx.AsyncByteStream):
            packed = encoding in {"gzip", "x-gzip", "deflate"}
            max_bytes = None if large and response.status_code == httpx.codes.OK else MAX_BODY_BYTES
            response.stream = _LimitedStream(response.stream, packed=packed, max_bytes=max_bytes)
        return response

    return handle_async_request


class _LimitedStream(httpx.AsyncByteStream):
    """A body, unpacked piece by piece, that fails if larger than `max_bytes` (None: no limit)."""

    def __init__(self, stream: httpx.AsyncByteStream, *, packed: bool, max_bytes: int | None) -> None:
        self._stream = stream
        self._packed = packed
        self._max_bytes = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._pieces():
            size += len(piece)
            if self._max_bytes is not None and size > self._max_bytes:
                raise BodyTooLarge
            yield piece

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def _pieces(self) -> AsyncIterator[bytes]:
        if not self._packed:
            async for chunk in self._stream:
                yield chunk
            return
        unpack = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            async for chunk in self._stream:
                rest = chunk
                while rest:
                    yield unpack.decompress(rest, _PIECE_BYTES)
                    rest = unpack.unconsumed_tail
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from error


def _leaves_host(request: httpx.Request, location: str) -> bool:
    target = request.url.join(location)
    return (target.scheme, target.host, target.port) != (request.url.scheme, request.url.host, request.url.port)
