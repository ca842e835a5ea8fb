"""The desk at which files of requests are handed in as batches, and from which they are watched until they end.

Its rows in the store are written before the provider hears of a batch and closed after its answers are stored, so that
a process may die anywhere: the next one finds every batch, by its id or by the nonce in its metadata.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

import orjson

from curator.committee.batch.api import CHAT_URL, BatchEndpoint, FileLimits
from curator.committee.batch.results import Results
from curator.committee.budget import Budget
from curator.committee.clock import Host
from curator.committee.endpoints import backoff_s, provider_error
from curator.committee.plan import endpoint_of
from curator.committee.requests import CallFailed, ModelRequest
from curator.errors import ProviderError
from curator.records.spend import Spend
from curator.state.batches import BatchCall, BatchRow, BatchRows

if TYPE_CHECKING:
    from openai.types import Batch


POLL_S = 5.0
POLL_CAP_S = 60.0

_POLL_GROWTH = 1.5
_MISSED_POLLS = 20  # polls in a row without an answer: some 20 minutes
_LOOKS = 4  # for a batch that was perhaps just made, since a list may lag behind
_SETTLED_S = 600.0  # after which a list lags behind no more
_NO_ROOM = "token_limit_exceeded"  # the provider's code for too many tokens in open batches
_ENDED = frozenset({"completed", "expired", "cancelled"})


@dataclass(slots=True)
class _Open:
    """A batch at the provider, as it was seen last."""

    id: str
    validating: bool = True


class Sheet:
    """A file of requests in the making, and its calls by key. A context manager: at the end the file goes."""

    def __init__(self, limits: FileLimits) -> None:
        self._limits = limits
        self.file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  closed in __exit__
        self.calls: dict[str, BatchCall] = {}
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()

    def takes(self, line: bytes, lines: int) -> bool:
        """Whether the line fits in as one of at most `lines`."""
        return len(self.calls) < min(lines, self._limits.lines) and self._size + len(line) <= self._limits.size

    def add(self, call: BatchCall, line: bytes) -> None:
        """Write a call's line at the end."""
        self.file.write(line)
        self.calls[call.key] = call
        self._size += len(line)

    def clear(self) -> None:
        """Begin anew."""
        self.file.seek(0)
        self.file.truncate()
        self.calls.clear()
        self._size = 0


class Desk:
    """Hands in, watches and collects the batches of one model. Its calls' bounds are reserved before they come here.

    `answered` hears of answers as they are stored, and with 0 of every change. `lines` is how many calls the provider
    has room for in one batch, as far as that is known. Every method raises ProviderError where the endpoint refuses for
    good or is out of reach, and StorageError where the store cannot be written.
    """

    def __init__(
        self,
        endpoint: BatchEndpoint,
        rows: BatchRows,
        results: Results,
        *,
        budget: Budget,
        host: Host,
        answered: Callable[[int], None],
    ) -> None:
        self._config = endpoint.config
        self._limits = endpoint.limits
        self._address = endpoint_of(endpoint.config)
        self._rows = rows
        self._results = results
        self._api = results.api
        self._budget = budget
        self._host = host
        self._answered = answered
        self.open: dict[str, _Open] = {}  # by nonce
        self.lines = endpoint.limits.lines
        self._full = False  # the provider has no room until a batch ends
        self._crowded = False  # it once had none: from then on one batch at a time is handed in and looked at
        self._wait_s = POLL_S
        self._missed = 0

    async def resume(self) -> None:
        """Take over the batches that are open from an earlier run, and collect those that have ended."""
        for row in self._rows.open():
            self._rows.drop_answered(row.nonce)
            try:
                batch_id = row.id or await self._find(row)
            except CallFailed as failure:
                raise self._hopeless(failure) from failure
            if batch_id is None:
                self._rows.end(row.nonce, self._host.now())
                continue
            self._budget.adopt(self._rows.bound(row.nonce))
            self.open[row.nonce] = _Open(batch_id)
        await self._poll()

    async def _find(self, row: BatchRow) -> str | None:
        """The id of a batch that was perhaps made, None once it is sure that the provider does not have it."""
        looks = _LOOKS if self._host.now() - row.created_at < _SETTLED_S else 1
        for look in range(looks):
            if look:
                await self._host.sleep(POLL_S * 2 ** (look - 1))
            batch_id = await self._api.find(row.nonce)
            if batch_id is not None:
                self._rows.set_id(row.nonce, batch_id)
                return batch_id
        return None

    async def hand_in(self, sheet: Sheet) -> None:
        """Make a batch of the file, once the provider has room, and begin a new file."""
        if not sheet.calls:
            return
        await self._make_room()
        row = BatchRow(uuid.uuid4().hex, None, self._host.now())
        self._rows.add(row.nonce, row.created_at, sheet.calls.values())
        batch_id = await self._create(row, sheet)
        if batch_id is None:
            self._put_off(row.nonce, "too many requests")
        else:
            self._rows.set_id(row.nonce, batch_id)
            self.open[row.nonce] = _Open(batch_id)
        if not self._crowded:
            self._wait_s = POLL_S
        sheet.clear()
        self._answered(0)

    async def _create(self, row: BatchRow, sheet: Sheet) -> str | None:
        """The id of the new batch, None where the provider takes none now."""
        try:
            file_id = await self._api.upload(sheet.file)
        except CallFailed as failure:
            self._rows.end(row.nonce, self._host.now())  # a file without a batch costs nothing
            raise self._hopeless(failure) from failure
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._api.create(file_id, row.nonce)
            except CallFailed as failure:
                if failure.kind == "retryable" and failure.status == 429:
                    return None
                if failure.kind in {"terminal", "rejected"}:
                    self._rows.end(row.nonce, self._host.now())
                    raise self._hopeless(failure) from failure
                # The provider may have made it all the same. The row stays until that is known.
                refusal = failure
            try:
                found = await self._find(row)
            except CallFailed as failure:
                raise self._hopeless(failure) from failure
            if found is not None:
                return found
            if attempt >= self._config.max_tries:
                raise self._hopeless(refusal)
            await self._host.sleep(backoff_s(attempt, refusal, self._host.random()))

    def _put_off(self, nonce: str, message: str) -> None:
        """The provider has no room for a batch: its calls are handed in later, fewer at a time if it was alone."""
        count = len(self._rows.calls(nonce))
        self._drop(nonce)
        if not self.open:
            if count == 1:
                raise self._hopeless(CallFailed("retryable", f"no room for even one call: {message}", status=429))
            self.lines = max(1, min(self.lines, count) // 2)
        self._full = self._crowded = True
        self._results.again = True

    def _drop(self, nonce: str) -> None:
        """Forget a batch of which nothing was or will be billed."""
        self._budget.release(self._rows.bound(nonce))
        self._rows.end(nonce, self._host.now())
        self.open.pop(nonce, None)

    async def _make_room(self) -> None:
        """Wait until the provider may take another batch."""
        await self._poll()  # before the next large file goes up: the last one may have been refused by now
        while self.open and (self._full or (self._crowded and any(b.validating for b in self.open.values()))):
            await self.look()
        if self._full:  # with none of ours open: others' batches may end in the meantime
            await self.look()
            self._full = False

    async def wait_for_all(self) -> None:
        """Wait until every open batch has ended and is collected."""
        while self.open:
            await self.look()

    async def look(self) -> None:
        """Wait, then see what has become of the open batches."""
        await self._host.sleep(self._wait_s)
        self._wait_s = min(POLL_CAP_S, self._wait_s * _POLL_GROWTH)
        await self._poll()

    async def _poll(self) -> None:
        """Ask for every open batch, and collect those that ended."""
        missed: CallFailed | None = None
        for nonce, seen in list(self.open.items()):
            try:
                batch = await self._api.retrieve(seen.id)
                await self._see(nonce, seen, batch)
            except CallFailed as failure:
                if failure.status == 404:
                    raise self._unknown(seen.id, failure) from failure
                if failure.kind in {"terminal", "rejected"}:
                    raise self._hopeless(failure) from failure
                missed = failure
        self._missed = self._missed + 1 if missed else 0
        if missed and self._missed >= _MISSED_POLLS:
            raise self._hopeless(missed)
        self._answered(0)

    async def _see(self, nonce: str, seen: _Open, batch: Batch) -> None:
        """Act on the state of a batch."""
        seen.validating = batch.status == "validating"
        if batch.status == "failed":
            self._refused(nonce, batch)
        elif batch.status in _ENDED:
            held = self._rows.bound(nonce)
            self._rows.drop_answered(nonce)  # somebody else stored an answer meanwhile; the first one stays
            left = self._rows.bound(nonce)
            self._budget.release(Spend(held.tokens - left.tokens, held.picodollars - left.picodollars))
            waiting = self._rows.calls(nonce)
            await self._results.collect(batch, waiting, now=self._host.now(), answered=self._answered)
            self._rows.end(nonce, self._host.now())
            del self.open[nonce]
            self._full = False
            self.lines = min(self._limits.lines, 2 * self.lines)
            self._wait_s = POLL_S
            if self._results.terminal is not None:
                raise self._hopeless(self._results.terminal)

    def _refused(self, nonce: str, batch: Batch) -> None:
        """The provider found fault with a whole batch, and bills nothing."""
        problems = (batch.errors.data if batch.errors else None) or []
        message = self._api.shown("; ".join(p.message or p.code or "" for p in problems[:3]) or "no reason given")
        if any(problem.code == _NO_ROOM for problem in problems):
            self._put_off(nonce, message)
            return
        self._drop(nonce)
        raise self._hopeless(CallFailed("rejected", f"a batch was refused: {message}"))

    def _hopeless(self, failure: CallFailed) -> ProviderError:
        return provider_error(self._config, self._address, failure)

    def _unknown(self, batch_id: str, failure: CallFailed) -> ProviderError:
        return ProviderError(
            f"model {self._config.name!r} at {self._address}: batch {batch_id!r} is not known there ({failure})",
            remedy=f"use the key of the project that handed it in; or, to pay for its calls again, another `store:` "
            f"than {str(self._rows.path)!r}",
        )


def line_of(request: ModelRequest) -> bytes:
    """A request as a line of a batch's file."""
    return orjson.dumps(
        {"custom_id": request.key, "method": "POST", "url": CHAT_URL, "body": request.body()},
        option=orjson.OPT_APPEND_NEWLINE,
    )
