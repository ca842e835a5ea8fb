"""Mock of an OpenAI-compatible endpoint, in a process of its own.

It is fast enough not to limit what a benchmark measures.

    python benchmarks/common/mock_server.py [--port 0] [--latency-ms 50] [--rate-429 0.1] [--rpm 600 --window-s 60] ...

It prints its port as the first line. `POST /v1/chat/completions` answers after a fixed latency with a text, `n` texts
where the body asks for them, and usage that depend on the body alone, so that the outputs of two runs can be compared.
Each request has one outcome, decided when it arrives:

    ok         a whole answer                                            billed
    hang       the model answers, but nothing is ever sent               billed
    truncated  half of the answer is sent, then the connection closes    billed
    invalid    status 200 with a body that is not JSON                    billed
    429, 500   refused at random, by --rate-429 and --rate-500
    limited    429: --rpm or --tpm has no room
    forced     429: one of the next `force_429` requests
    refused    --status, for good, after --fail-after whole answers

Whether a request meets a fault depends on --seed, the body and how often that body came before: not on the order.

Limits are per minute and enforced over windows of --window-s (a window of 6 s lets a tenth of them through): as a
token bucket that is full at first, or as a fixed window. A request takes the tokens that its usage will say.

`GET /bill` sums the record up: requests by outcome, tokens, picodollars, and the outcomes of each request identity
(the hash of the body without `n`). `GET /log?from=N` lists the record from its N-th entry on: arrival (seconds of the
machine's monotonic clock), identity, outcome, input tokens, output tokens, picodollars. The record is only appended to;
`GET /count` is its length.
`POST /control` changes settings while it runs: a JSON object by the names of `Settings`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, Protocol

import orjson

from benchmarks.common.mock_limits import Limits

BILLED = frozenset({"ok", "hang", "truncated", "invalid"})
AMBIGUOUS = BILLED - {"ok"}
PHRASE = "the order arrived late and was charged twice please refund or replace it before friday thanks"
WORDS = tuple(PHRASE.split(" "))
REFUSALS = {
    "401": (401, "Incorrect API key provided", "invalid_api_key"),
    "402": (402, "Payment required", "payment_required"),
    "quota": (429, "You exceeded your current quota", "insufficient_quota"),
}
_REASONS = {200: b"OK", 400: b"Bad Request", 401: b"Unauthorized", 402: b"Payment Required", 404: b"Not Found"}
_REASONS |= {429: b"Too Many Requests", 500: b"Internal Server Error"}
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_CHOICES = {"limiter": ("bucket", "window"), "status": ("", *REFUSALS)}


@dataclass
class Settings:
    """Settings of the command line, which `/control` can change.

    Rates are shares, prices US dollars per million tokens; `tokens_per_byte` is the mean over requests.
    """

    latency_ms: float = 50.0
    rate_429: float = 0.0
    rate_500: float = 0.0
    rate_hang: float = 0.0
    rate_truncate: float = 0.0
    rate_invalid: float = 0.0
    retry_after_s: float = 0.0
    force_429: int = 0
    status: str = ""
    fail_after: int = 0
    rpm: float = 0.0
    tpm: float = 0.0
    window_s: float = 60.0
    limiter: str = "bucket"
    tokens_per_byte: float = 0.25
    price_in: float = 1.0
    price_out: float = 10.0
    seed: int = 0

    @property
    def faults(self) -> tuple[tuple[str, float], ...]:
        """The share of each fault."""
        return (
            ("429", self.rate_429),
            ("500", self.rate_500),
            ("hang", self.rate_hang),
            ("truncated", self.rate_truncate),
            ("invalid", self.rate_invalid),
        )


class Entry(NamedTuple):
    """One request in the record."""

    arrived: float
    identity: str
    outcome: str
    input_tokens: int
    output_tokens: int
    picodollars: int


class Reply(NamedTuple):
    """The reply to a request after `delay_s`; `close` ends the connection behind it."""

    data: bytes
    delay_s: float = 0.0
    close: bool = False


class Mock:
    """The endpoint: its settings, its limits and its record."""

    def __init__(self, settings: Settings, now: float) -> None:
        self._settings = settings
        self._log: list[Entry] = []
        self._came: Counter[str] = Counter()
        self._answered = 0
        self._refused_at: float | None = None
        self._configure(now)

    def handle(self, method: bytes, target: bytes, body: bytes, now: float) -> Reply | None:
        """The reply to a request; None where nothing is ever sent."""
        path, _, query = target.partition(b"?")
        if method == b"GET":
            return Reply(self._tell(path, query))
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError:
            return Reply(failure(400, "The body is not JSON", "invalid_request_error"))
        if path.endswith(b"/chat/completions"):
            return self._complete(content, now)
        if path == b"/control":
            return Reply(self._control(content, now))
        return Reply(failure(404, "No such path", "not_found"))

    def _tell(self, path: bytes, query: bytes) -> bytes:
        """Return the part of the record that a path asks for."""
        if path == b"/bill":
            return response(200, self._bill())
        if path == b"/count":
            return response(200, len(self._log))
        if path == b"/log":
            start = int(query.removeprefix(b"from=") or 0)
            return response(200, [tuple(entry) for entry in self._log[start:]])
        return failure(404, "No such path", "not_found")

    def _complete(self, body: dict[str, Any], now: float) -> Reply | None:
        identity = identity_of(body)
        completion, entry = self._answer(body, identity, now)
        limited = self._limits.admit(entry.input_tokens + entry.output_tokens, now) if self._limits else 0.0
        outcome = self._outcome(identity, limited=bool(limited))
        if outcome not in BILLED:
            entry = entry._replace(input_tokens=0, output_tokens=0, picodollars=0)
        self._log.append(entry._replace(outcome=outcome))
        headers = self._limits.headers(now) if self._limits else {}
        match outcome:
            case "ok":
                self._answered += 1
                data = response(200, completion, headers)
            case "hang":
                return None
            case "truncated":
                data = response(200, completion, headers)
                whole = data.index(b"\r\n\r\n") + 4
                return Reply(data[: (whole + len(data)) // 2], self._latency_s, close=True)
            case "invalid":
                data = response(200, b'{"choices": [{"message": ', headers)
            case "500":
                data = failure(500, "The server had an error", "server_error")
            case "refused":
                self._refused_at = self._refused_at or now + self._latency_s
                data = failure(*REFUSALS[self._settings.status])
            case _:
                wait = limited if outcome == "limited" else self._settings.retry_after_s
                headers |= {"Retry-After": str(math.ceil(wait)), "retry-after-ms": str(math.ceil(wait * 1000))}
                data = failure(429, "Rate limit reached", "rate_limit_exceeded", headers)
        return Reply(data, self._latency_s)

    def _outcome(self, identity: str, *, limited: bool) -> str:
        """Return the outcome of a request: refusals for good come first, then limits, then chance."""
        settings = self._settings
        if settings.status and self._answered >= settings.fail_after:
            return "refused"
        if settings.force_429:
            settings.force_429 -= 1
            return "forced"
        if limited:
            return "limited"
        if not self._faulty:
            return "ok"
        self._came[identity] += 1
        digest = hashlib.sha256(f"{settings.seed} {identity} {self._came[identity]}".encode()).digest()
        chance = int.from_bytes(digest[:8], "big") / 2**64
        for name, share in settings.faults:
            if chance < share:
                return name
            chance -= share
        return "ok"

    def _answer(self, body: Mapping[str, Any], identity: str, now: float) -> tuple[dict[str, Any], Entry]:
        """The completion that answers a body, and its line in the record."""
        settings = self._settings
        most = body.get("max_tokens") or body.get("max_completion_tokens") or 512
        choices, written = [], 0
        for index in range(body.get("n") or 1):
            text = answer_text(identity, index)
            tokens = round(len(text) * settings.tokens_per_byte)
            written += min(tokens, most)
            message = {"role": "assistant", "content": text, "refusal": None}
            finish = "stop" if tokens <= most else "length"
            choices.append({"index": index, "message": message, "logprobs": None, "finish_reason": finish})
        read = input_tokens(body, identity, settings.tokens_per_byte)
        completion = {
            "id": f"chatcmpl-{identity[:24]}",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": body.get("model"),
            "choices": choices,
            "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        }
        picodollars = round(read * settings.price_in * 1e6) + round(written * settings.price_out * 1e6)
        return completion, Entry(now, identity, "ok", read, written, picodollars)

    def _bill(self) -> dict[str, Any]:
        """The record, summed up."""
        outcomes: Counter[str] = Counter()
        identities: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for entry in self._log:
            outcomes[entry.outcome] += 1
            identities[entry.identity][entry.outcome] += 1
        return {
            "requests": len(self._log),
            "outcomes": outcomes,
            "input_tokens": sum(entry.input_tokens for entry in self._log),
            "output_tokens": sum(entry.output_tokens for entry in self._log),
            "picodollars": sum(entry.picodollars for entry in self._log),
            "refused_at": self._refused_at,
            "identities": identities,
        }

    def _control(self, changes: Mapping[str, Any], now: float) -> bytes:
        current = asdict(self._settings)
        if unknown := changes.keys() - current.keys():
            return failure(400, f"No such setting: {', '.join(sorted(unknown))}", "invalid_request_error")
        for name, value in changes.items():
            setattr(self._settings, name, type(current[name])(value))
        self._configure(now, anew=not changes.keys().isdisjoint({"rpm", "tpm", "window_s", "limiter"}))
        return response(200, asdict(self._settings))

    def _configure(self, now: float, *, anew: bool = True) -> None:
        """Work out what follows from the settings; `anew` forgets what was taken of the limits."""
        settings = self._settings
        self._latency_s = settings.latency_ms / 1000
        self._faulty = any(share for _, share in settings.faults)
        if anew:
            limited = bool(settings.rpm or settings.tpm)
            self._limits = self._make_limits(now) if limited else None

    def _make_limits(self, now: float) -> Limits:
        settings = self._settings
        return Limits(rpm=settings.rpm, tpm=settings.tpm, window_s=settings.window_s, limiter=settings.limiter, now=now)


class Handler(Protocol):
    """An endpoint that a connection serves."""

    def handle(self, method: bytes, target: bytes, body: bytes, now: float) -> Reply | None:
        """Return the reply to a request; None where nothing is ever sent."""


class Connection(asyncio.Protocol):
    """One client's connection, kept alive."""

    _transport: asyncio.Transport

    def __init__(self, mock: Handler, loop: asyncio.AbstractEventLoop) -> None:
        self._mock, self._loop = mock, loop
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport of a new connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  it is TCP
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Serve the requests that are whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            method, target, _ = self._buffer[: self._buffer.index(b"\r\n")].split(b" ")
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            reply = self._mock.handle(method, target, body, self._loop.time())
            if reply is not None and reply.delay_s:
                self._loop.call_later(reply.delay_s, self._send, reply)
            elif reply is not None:
                self._send(reply)

    def _send(self, reply: Reply) -> None:
        if self._transport.is_closing():  # the client did not wait
            return
        self._transport.write(reply.data)
        if reply.close:
            self._transport.close()


def identity_of(body: Mapping[str, Any]) -> str:
    """Return the identity of a request: the SHA-256 (hex) of its body without `n`."""
    content = {key: value for key, value in body.items() if key != "n"}
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def answer_text(identity: str, index: int = 0) -> str:
    """Return the text of the `index`-th choice: 4 to 19 words and a unique tag."""
    seed = bytes.fromhex(identity)
    count = 4 + (seed[0] + index) % 16
    return " ".join(WORDS[(byte + index) % len(WORDS)] for byte in seed[1 : count + 1]) + f" {identity[:8]}-{index}"


def input_tokens(body: Mapping[str, Any], identity: str, per_byte: float) -> int:
    """Return the input tokens of a request.

    They are `per_byte`, give or take a quarter of it, and 4 for each message.
    """
    messages = body["messages"]
    size = sum(len((message.get("content") or "").encode()) for message in messages)
    return int(size * per_byte * (0.75 + int(identity[2:4], 16) / 510)) + 4 * len(messages)


def response(status: int, content: object, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole HTTP response; `content` is bytes, or becomes JSON."""
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items()).encode()
    head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
    return head % (status, _REASONS[status], len(body), more) + body


def failure(status: int, message: str, code: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A response with an error body as OpenAI writes it."""
    return response(status, {"error": {"message": message, "type": code, "code": code, "param": None}}, headers)


async def serve(settings: Settings, port: int) -> None:
    """Print the port and answer until the process is stopped."""
    loop = asyncio.get_running_loop()
    mock = Mock(settings, loop.time())
    server = await loop.create_server(lambda: Connection(mock, loop), "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0: a free one, which is printed")
    for field in fields(Settings):
        option = f"--{field.name.replace('_', '-')}"
        kind, choices = type(field.default), _CHOICES.get(field.name)
        parser.add_argument(option, type=kind, default=field.default, choices=choices)
    arguments = vars(parser.parse_args())
    port = arguments.pop("port")
    asyncio.run(serve(Settings(**arguments), port))


if __name__ == "__main__":
    main()
