"""Session of one model in batch mode: submits batches and watches them until they end.

The row of a batch is written to the store before the provider gets the batch. It is closed after the answers are stored.
A process may therefore die at any point: the next one finds every batch by its id, or by the nonce in its metadata.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import orjson

from curator.committee.batch.api import CHAT_URL, BatchEndpoint, FileLimits
from curator.committee.batch.results import BatchResults
from curator.committee.budget import Budget
from curator.committee.clock import Clock
from curator.committee.endpoints import asks_too_long, backoff_s, provider_error
from curator.committee.plan import endpoint_of
from curator.committee.requests import CallFailed, ModelRequest
from curator.errors import ProviderError
from curator.io.closeable import Closeable
from curator.records.spend import Spend
from curator.state.batches import BatchCall, BatchRow, BatchRows

if TYPE_CHECKING:
    from openai.types import Batch


POLL_S = 5.0
POLL_CAP_S = 60.0

_POLL_GROWTH = 1.5
_MISSED_POLLS = 20  # polls in a row without an answer, which take about 20 minutes
_LOOKS = 4  # searches for a batch that may just have been made: the provider's list may lag behind
_SETTLED_S = 600.0  # after this time the list is complete
_NO_ROOM = "token_limit_exceeded"  # the provider's code for too many tokens in open batches
_ENDED = frozenset({"completed", "expired", "cancelled"})


@dataclass(slots=True)
class _Open:
    """A batch at the provider, by its last poll."""

    id: str
    validating: bool = True


class BatchFile(Closeable):
    """A temporary file of requests and its calls by key; a context manager."""

    def __init__(self, limits: FileLimits) -> None:
        self._limits = limits
        self.file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  closed in `close`
        self.calls: dict[str, BatchCall] = {}
        self._size = 0

    def close(self) -> None:
        """Delete the file."""
        self.file.close()

    def takes(self, line: bytes, lines: int) -> bool:
        """Return whether the line fits into the file, with at most `lines` lines."""
        return len(self.calls) < min(lines, self._limits.lines) and self._size + len(line) <= self._limits.size

    def add(self, call: BatchCall, line: bytes) -> None:
        """Append a call's line."""
        self.file.write(line)
        self.calls[call.key] = call
        self._size += len(line)

    def clear(self) -> None:
        """Empty the file."""
        self.file.seek(0)
        self.file.truncate()
        self.calls.clear()
        self._size = 0


class BatchSession:
    """Submits, watches and collects the batches of one model.

    The caller has reserved the bounds of the calls.

    `answered` is called with the number of new stored answers, and with 0 after every other change. `lines` is the largest
    number of calls that the provider has room for in one batch, as far as that is known. Every method raises
    ProviderError where the endpoint refuses for good or cannot be reached, and StorageError where the store cannot be
    written.
    """

    def __init__(
        self,
        endpoint: BatchEndpoint,
        rows: BatchRows,
        results: BatchResults,
        *,
        budget: Budget,
        clock: Clock,
        answered: Callable[[int], None],
    ) -> None:
        self._config = endpoint.config
        self._limits = endpoint.limits
        self._address = endpoint_of(endpoint.config)
        self._rows = rows
        self._results = results
        self._api = results.api
        self._budget = budget
        self._clock = clock
        self._answered = answered
        self.open: dict[str, _Open] = {}  # by nonce
        self.lines = endpoint.limits.lines
        self._full = False  # the provider has no room until a batch ends
        self._crowded = False  # the provider once had no room: from then on, one batch at a time is submitted
        self._wait_s = POLL_S
        self._missed = 0

    async def resume(self) -> None:
        """Adopt the batches that an earlier run left open, and collect those that have ended."""
        for row in self._rows.open():
            self._rows.drop_answered(row.nonce)
            try:
                batch_id = row.id or await self._find(row)
            except CallFailed as failure:
                raise self._give_up(failure) from failure
            if batch_id is None:
                self._rows.end(row.nonce, self._clock.now())
                continue
            self._budget.adopt(self._rows.bound(row.nonce))
            self.open[row.nonce] = _Open(batch_id)
        await self._poll()

    async def _find(self, row: BatchRow) -> str | None:
        """Return the id of a batch that may have been made.

        It is None once the provider surely does not have the batch.
        """
        looks = _LOOKS if self._clock.now() - row.created_at < _SETTLED_S else 1
        for look in range(looks):
            if look:
                await self._clock.sleep(POLL_S * 2 ** (look - 1))
            batch_id = await self._api.find(row.nonce)
            if batch_id is not None:
                self._rows.set_id(row.nonce, batch_id)
                return batch_id
        return None

    async def submit(self, file: BatchFile) -> None:
        """Make a batch of the file once the provider has room, and empty the file."""
        if not file.calls:
            return
        await self._make_room()
        row = BatchRow(uuid.uuid4().hex, None, self._clock.now())
        self._rows.add(row.nonce, row.created_at, file.calls.values())
        batch_id = await self._create(row, file)
        if batch_id is None:
            self._put_off(row.nonce, "too many requests")
        else:
            self._rows.set_id(row.nonce, batch_id)
            self.open[row.nonce] = _Open(batch_id)
        if not self._crowded:
            self._wait_s = POLL_S
        file.clear()
        self._answered(0)

    async def _create(self, row: BatchRow, file: BatchFile) -> str | None:
        """Return the id of the new batch; None where the provider accepts none now."""
        try:
            file_id = await self._api.upload(file.file)
        except CallFailed as failure:
            self._rows.end(row.nonce, self._clock.now())  # a file without a batch costs nothing
            raise self._give_up(failure) from failure
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._api.create(file_id, row.nonce)
            except CallFailed as failure:
                too_long = asks_too_long(failure, self._config.patience_s)
                if failure.kind == "retryable" and failure.status == 429 and not too_long:
                    return None
                if failure.kind in {"terminal", "rejected"} or too_long:
                    self._rows.end(row.nonce, self._clock.now())
                    raise self._give_up(failure) from failure
                # The provider may have made the batch even so. The row stays until that is known.
                refusal = failure
            try:
                batch_id = await self._find(row)
            except CallFailed as failure:
                raise self._give_up(failure) from failure
            if batch_id is not None:
                return batch_id
            if attempt >= self._config.max_tries:
                raise self._give_up(refusal)
            await self._clock.sleep(backoff_s(attempt, refusal, self._clock.random()))

    def _put_off(self, nonce: str, message: str) -> None:
        """Submit a batch's calls later: the provider has no room.

        If no other batch is open, fewer calls are submitted at a time.
        """
        count = len(self._rows.calls(nonce))
        self._drop(nonce)
        if not self.open:
            if count == 1:
                raise self._give_up(CallFailed("retryable", f"no room for even one call: {message}", status=429))
            self.lines = max(1, min(self.lines, count) // 2)
        self._full = self._crowded = True
        self._results.again = True

    def _drop(self, nonce: str) -> None:
        """Forget a batch that is not billed."""
        self._budget.release(self._rows.bound(nonce))
        self._rows.end(nonce, self._clock.now())
        self.open.pop(nonce, None)

    async def _make_room(self) -> None:
        """Wait until the provider may take another batch."""
        await self._poll()  # before the next large upload: the last batch may have been refused by now
        while self.open and (self._full or (self._crowded and any(b.validating for b in self.open.values()))):
            await self.look()
        if self._full:  # with no batch of ours open: other users' batches may end in the meantime
            await self.look()
            self._full = False

    async def wait_for_all(self) -> None:
        """Wait until every open batch has ended and is collected."""
        while self.open:
            await self.look()

    async def look(self) -> None:
        """Wait, then poll the open batches."""
        await self._clock.sleep(self._wait_s)
        self._wait_s = min(POLL_CAP_S, self._wait_s * _POLL_GROWTH)
        await self._poll()

    async def _poll(self) -> None:
        """Get the state of every open batch, and collect those that ended."""
        missed: CallFailed | None = None
        for nonce, seen in list(self.open.items()):
            try:
                batch = await self._api.retrieve(seen.id)
                await self._act_on(nonce, seen, batch)
            except CallFailed as failure:
                if failure.status == 404:
                    raise self._unknown(seen.id, failure) from failure
                if failure.kind in {"terminal", "rejected"} or asks_too_long(failure, self._config.patience_s):
                    raise self._give_up(failure) from failure
                missed = failure
        self._missed = self._missed + 1 if missed else 0
        if missed and self._missed >= _MISSED_POLLS:
            raise self._give_up(missed)
        self._answered(0)

    async def _act_on(self, nonce: str, seen: _Open, batch: Batch) -> None:
        """Act on the state of a batch."""
        seen.validating = batch.status == "validating"
        if batch.status == "failed":
            self._refused(nonce, batch)
        elif batch.status in _ENDED:
            held = self._rows.bound(nonce)
            self._rows.drop_answered(nonce)  # another process stored an answer meanwhile; the first answer stays
            left = self._rows.bound(nonce)
            self._budget.release(Spend(held.tokens - left.tokens, held.picodollars - left.picodollars))
            waiting = self._rows.calls(nonce)
            await self._results.collect(batch, waiting, now=self._clock.now(), answered=self._answered)
            self._rows.end(nonce, self._clock.now())
            del self.open[nonce]
            self._full = False
            self.lines = min(self._limits.lines, 2 * self.lines)
            self._wait_s = POLL_S
            if self._results.terminal is not None:
                raise self._give_up(self._results.terminal)

    def _refused(self, nonce: str, batch: Batch) -> None:
        """End a batch that the provider refused as a whole; nothing is billed."""
        problems = (batch.errors.data if batch.errors else None) or []
        message = self._api.shown("; ".join(p.message or p.code or "" for p in problems[:3]) or "no reason given")
        if any(problem.code == _NO_ROOM for problem in problems):
            self._put_off(nonce, message)
            return
        self._drop(nonce)
        raise self._give_up(CallFailed("rejected", f"a batch was refused: {message}"))

    def _give_up(self, failure: CallFailed) -> ProviderError:
        return provider_error(self._config, self._address, failure, now=self._clock.now())

    def _unknown(self, batch_id: str, failure: CallFailed) -> ProviderError:
        return ProviderError(
            f"model {self._config.name!r} at {self._address}: batch {batch_id!r} is not known there ({failure})",
            remedy="use the key of the project that submitted it; or, to pay for its calls again, another `store:` "
            f"than {str(self._rows.path)!r}",
        )


def line_of(request: ModelRequest) -> bytes:
    """Return a request as a line of a batch's file."""
    return orjson.dumps(
        {"custom_id": request.key, "method": "POST", "url": CHAT_URL, "body": request.body()},
        option=orjson.OPT_APPEND_NEWLINE,
    )
