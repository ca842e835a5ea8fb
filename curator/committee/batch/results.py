"""Results of ended batches: the answers go to the store, the calls are settled."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from curator.committee.batch.api import BatchApi
from curator.committee.budget import Budget
from curator.committee.endpoints import cost_usd, estimated_usage
from curator.committee.providers.completions import read_completion
from curator.committee.providers.openai_compatible import MAX_BODY_BYTES
from curator.committee.providers.refusals import failure
from curator.committee.requests import CallFailed, ModelReply
from curator.config import ModelConfig, Price
from curator.records import Usage
from curator.records.spend import Spend
from curator.state.batches import BatchCall
from curator.state.generations import GenerationStore
from curator.state.refusals import Refusal, Refusals
from curator.state.store_schema import StoredReply

if TYPE_CHECKING:
    from openai.types import Batch


_LINES_PER_COMMIT = 512
_UNFINISHED = frozenset({"expired", "cancelled"})
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class _Ended:
    """A batch that ended: its calls without a result so far, and the facts of all answers."""

    waiting: dict[str, BatchCall]
    took_s: float
    now: float
    answered: Callable[[int], None]


class BatchResults:
    """Collects ended batches of one model, and counts the failures of each call.

    Memory grows only with failures.

    Attributes:
        errors: the errors of calls that failed for good, by key.
        again: a call failed that may be submitted again.
        terminal: the failure by which the endpoint refuses everything; None without one.
    """

    def __init__(
        self,
        config: ModelConfig,
        price: Price,
        *,
        api: BatchApi,
        store: GenerationStore,
        refusals: Refusals,
        budget: Budget,
    ) -> None:
        self._config = config
        self._price = price
        self.api = api
        self._store = store
        self._refusals = refusals
        self._budget = budget
        self._tries: dict[str, int] = {}
        self._unsure: set[str] = set()
        self.errors: dict[str, str] = {}
        self.again = False
        self.terminal: CallFailed | None = None

    async def collect(
        self, batch: Batch, waiting: dict[str, BatchCall], *, now: float, answered: Callable[[int], None]
    ) -> None:
        """Store the answers of a completed, expired or cancelled batch, and empty `waiting`.

        `waiting` are the batch's calls.

        `answered` is called with the number of answers that were stored; `now` is in seconds since 1970.

        Raises:
            CallFailed: a file of results cannot be fetched now.
            StorageError: an answer could not be stored.
        """
        ended_at = batch.completed_at or batch.expired_at or batch.cancelled_at or batch.created_at
        ended = _Ended(waiting, float(ended_at - batch.created_at), now, answered)
        whole = True
        with contextlib.ExitStack() as stack:
            # All files are fetched first: a failure then leaves no call settled, and all can be collected again.
            files = {
                file_id: await self._fetch(file_id, stack.enter_context(tempfile.TemporaryFile()))
                for file_id in (batch.output_file_id, batch.error_file_id)
                if file_id
            }
            for file_id, file in files.items():
                whole &= file is not None and await self._read(file_id, file, ended)
        while waiting:
            self.fail(waiting.popitem()[1], _missing(batch.status, whole=whole))

    def fail(self, call: BatchCall, failed: CallFailed, paid: Usage | None = None) -> None:
        """Count the failure of a submitted call, and settle its bound.

        `paid` is the usage of an answer without text.
        """
        if paid is not None:
            self._settle_usage(call, paid)
        elif failed.kind == "ambiguous":
            self._budget.keep(call.bound)
        else:
            self._budget.release(call.bound)
        if failed.kind == "terminal":
            self.terminal = self.terminal or failed
            return
        tries = self._tries[call.key] = self._tries.get(call.key, 0) + 1
        unsure = failed.kind == "ambiguous"
        if failed.kind == "rejected" or tries >= self._config.max_tries or (unsure and call.key in self._unsure):
            self.errors[call.key] = str(failed)
            if failed.cause is not None:
                self._refusals.add(call.key, Refusal(self._config.model, str(failed), failed.cause))
            return
        if unsure:
            self._unsure.add(call.key)
        self.again = True

    def _settle_usage(self, call: BatchCall, usage: Usage) -> None:
        usd = cost_usd(usage.input_tokens, usage.output_tokens, self._price)
        self._budget.settle(call.bound, Spend.of(tokens=usage.input_tokens + usage.output_tokens, usd=usd))

    async def _fetch(self, file_id: str, file: BinaryIO) -> BinaryIO | None:
        """Download into the file and return it; None where the provider has deleted it.

        The provider keeps files for some weeks.
        """
        try:
            await self.api.download(file_id, file)
        except CallFailed as failure:
            if failure.status != _NOT_FOUND:
                raise
            return None
        return file

    async def _read(self, file_id: str, file: BinaryIO, ended: _Ended) -> bool:
        """Settle the calls in a file of results; return whether the file was whole.

        A damaged file is fetched once more.
        """
        if await self._read_lines(file, ended):
            return True
        try:
            again = await self._fetch(file_id, file)
        except CallFailed:
            return False
        return again is not None and await self._read_lines(again, ended)

    async def _read_lines(self, file: BinaryIO, ended: _Ended) -> bool:
        """Settle the calls in the file's lines; return whether every line could be read."""
        damaged = 0
        for lines in line_groups(file):
            outcomes = [read_line(self.api.without_secret(line)) for line in lines]
            damaged += outcomes.count(None)
            await self._settle([outcome for outcome in outcomes if outcome], ended)
        return not damaged

    async def _settle(self, outcomes: Iterable[tuple[str, ModelReply | CallFailed]], ended: _Ended) -> None:
        """Store the answers in one commit and settle them; count the failures. A call counts once."""
        answers: list[tuple[BatchCall, StoredReply]] = []
        for key, outcome in outcomes:
            call = ended.waiting.pop(key, None)
            if call is None:
                continue
            if isinstance(outcome, CallFailed):
                self.fail(call, outcome)
            elif outcome.failure is not None:
                self.fail(call, outcome.failure, outcome.usage or estimated_usage(call.input_tokens, [""]))
            else:
                answers.append((call, self._answer(call, outcome, ended)))
        await self._store.put([(call.key, reply) for call, reply in answers])
        for call, reply in answers:
            self._settle_usage(call, reply.usage)
        ended.answered(len(answers))

    def _answer(self, call: BatchCall, reply: ModelReply, ended: _Ended) -> StoredReply:
        usage = reply.usage or estimated_usage(call.input_tokens, [reply.text])
        return StoredReply(
            text=reply.text,
            finish_reason=reply.finish_reason,
            usage=usage,
            logprobs=reply.logprobs,
            tokens=reply.tokens,
            cost_usd=cost_usd(usage.input_tokens, usage.output_tokens, self._price),
            latency_s=ended.took_s,
            model=self._config.model,
            created_at=ended.now,
        )


def read_line(line: bytes) -> tuple[str, ModelReply | CallFailed] | None:
    """Return the key in a line of results and its reply or failure; None for a damaged line."""
    try:
        data: Any = orjson.loads(line)
        key, response, error = data["custom_id"], data.get("response"), data.get("error")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    if not isinstance(key, str):
        return None
    if not isinstance(response, dict):
        # The call never ran: its batch expired or was cancelled, or the provider gave up on it.
        return key, failure(500, {"error": error}, {}, now=time.time)
    status, body = response.get("status_code"), response.get("body")
    if status != 200 and isinstance(status, int):
        return key, failure(status, body, {}, now=time.time)
    return key, read_completion(body)


def line_groups(file: BinaryIO) -> Iterator[list[bytes]]:
    """Iterate over the non-blank lines of a file, some hundred small ones at a time.

    A line that is larger than an answer can be comes in pieces.
    """
    file.seek(0)
    group: list[bytes] = []
    size = 0
    while line := file.readline(MAX_BODY_BYTES):
        if line.strip():
            group.append(line)
            size += len(line)
        if len(group) == _LINES_PER_COMMIT or size >= MAX_BODY_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _missing(status: str, *, whole: bool) -> CallFailed:
    """Return the failure of a call that is in none of its batch's files."""
    if status in _UNFINISHED and whole:
        return CallFailed("retryable", f"the batch was {status} before the call was answered")
    return CallFailed("ambiguous", "the batch ended without a readable answer to the call")
