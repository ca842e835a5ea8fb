"""The calls of a fine-tuning API, through OpenAI's SDK, and their failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from curator.config.endpoint import LOOPBACK
from curator.errors import ProviderError
from curator.trainers.messages import shown

if TYPE_CHECKING:
    import openai
    from openai import OpenAI
    from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

NONCE = "curator_nonce"
"""The field of a job's metadata that identifies it."""
_PAGE = 100
_EVENTS = 50
_TIMEOUT_S = 120.0
_CONNECT_S = 20.0
_LONGEST_PAUSE_S = 60.0
_PATIENCE_S = 900.0
"""Seconds for which an API that cannot be reached, or is overloaded, is tried again. The job goes on there meanwhile."""
_SETTLE_S = 5.0
"""Seconds between looks for a resource whose creation was not answered: a list may lag behind."""
_LOOKS = 3
_NO_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as an argument: `now` in seconds since 1970."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class _Failed:
    """A failed call.

    Attributes:
        reason: for the user, without secrets.
        lasting: the same call will fail again.
        unclear: the call may have been carried out.
        wait_s: the pause that the API asks for, in seconds; 0 without one.
    """

    reason: str
    lasting: bool = False
    unclear: bool = True
    wait_s: float = 0.0


@contextmanager
def open_client(base_url: str, key: str | None) -> Iterator[OpenAI]:
    """Open the SDK's client; it connects with the first call.

    It never repeats a call by itself: a job that is created twice is billed twice. Organisation and project of the environment are
    not sent, as with the calls of the committee. An endpoint on this computer is not reached through a proxy.
    """
    import httpx
    from openai import DefaultHttpxClient, OpenAI

    timeout = httpx.Timeout(_TIMEOUT_S, connect=_CONNECT_S)
    http = DefaultHttpxClient(timeout=timeout, trust_env=urlsplit(base_url).hostname not in LOOPBACK)
    with OpenAI(api_key=key or "none", base_url=base_url, max_retries=0, timeout=timeout, http_client=http) as client:
        client.organization = client.project = None
        yield client


class FineTuningApi:
    """The calls that a fine-tuning job needs. A failure that may pass is waited out.

    Args:
        client: see `open_client`.
        environ: its secrets are blacked out in messages.
        clock: time.

    Every method raises ProviderError where the API refuses for good, or cannot be used for fifteen minutes.
    """

    def __init__(self, client: OpenAI, environ: Mapping[str, str], clock: Clock) -> None:
        self._client = client
        self._environ = environ
        self._clock = clock

    def upload(self, path: Path, name: str, *, begun: bool) -> str:
        """Return the id of the training file of that name; upload it if it is not there.

        `begun`: an upload may have happened before.
        """

        def find() -> str | None:
            return next((file.id for file in self._client.files.list() if file.filename == name), None)

        def make() -> object:
            with path.open("rb") as file:
                return self._client.files.create(file=(name, file), purpose="fine-tune")

        return self._exactly_once(find, make, begun=begun)

    def create(self, file_id: str, nonce: str, *, model: str, suffix: str, seed: int, epochs: int, begun: bool) -> str:
        """Return the id of the job of that file and nonce; create it if it is not there.

        `begun`: a creation may have happened before.
        """

        def find() -> str | None:
            jobs = self._client.fine_tuning.jobs.list(limit=_PAGE)
            return next((job.id for job in jobs if _is_ours(job, file_id, nonce)), None)

        def make() -> object:
            return self._client.fine_tuning.jobs.create(
                model=model,
                training_file=file_id,
                suffix=suffix,
                seed=seed,
                metadata={NONCE: nonce},
                method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": epochs}}},
            )

        return self._exactly_once(find, make, begun=begun)

    def retrieve(self, job_id: str) -> FineTuningJob:
        """Return the state of a job."""
        return self._persistently(lambda: self._client.fine_tuning.jobs.retrieve(job_id))

    def events(self, job_id: str) -> list[FineTuningJobEvent]:
        """Return the newest events of a job, the oldest first; none where the API gives none."""
        result = self._outcome(lambda: self._client.fine_tuning.jobs.list_events(job_id, limit=_EVENTS).data)
        return [] if isinstance(result, _Failed) else result[::-1]

    def shown(self, text: str) -> str:
        """Return a text of the API, safe to show."""
        return shown(text, self._environ, secrets=(self._client.api_key,))

    def _exactly_once(self, find: Callable[[], str | None], make: Callable[[], object], *, begun: bool) -> str:
        """Return the id of a resource; make it unless an earlier try has made it."""
        unclear, patience = begun, _Patience(self._clock)
        while True:
            if unclear and (identity := self._sought(find)) is not None:
                return identity
            result = self._outcome(lambda: _identity(make()))
            if not isinstance(result, _Failed):
                return result
            unclear = unclear or result.unclear
            if not patience.wait(result):
                raise self._refusal(result)

    def _sought(self, find: Callable[[], str | None]) -> str | None:
        for look in range(_LOOKS):
            if look:
                self._clock.sleep(_SETTLE_S)
            if (identity := self._persistently(find)) is not None:
                return identity
        return None

    def _persistently(self, call: Callable[[], _T]) -> _T:
        patience = _Patience(self._clock)
        while True:
            result = self._outcome(call)
            if not isinstance(result, _Failed):
                return result
            if not patience.wait(result):
                raise self._refusal(result)

    def _refusal(self, failed: _Failed) -> ProviderError:
        where = f"the fine-tuning API at {str(self._client.base_url).rstrip('/')!r}"
        if failed.lasting:
            return ProviderError(
                f"{where} refuses: {failed.reason}",
                remedy="fix what it names (the key, `loop.trainer.base_model`, the quota); the same command goes on from there",
            )
        return ProviderError(
            f"{where} cannot be used: {failed.reason}",
            remedy="check the network and `loop.trainer.base_url`; a job that was begun goes on there, and the same command waits for"
            " it",
        )

    def _outcome(self, call: Callable[[], _T]) -> _T | _Failed:
        """Return the result of a call, or its failure.

        An exception of the SDK holds the key, and must not become the context of another.
        """
        import httpx
        import openai

        try:
            return call()
        except openai.APIStatusError as error:
            return self._status_failure(error)
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            sent = not isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout)
            return _Failed(self.shown(f"{type(cause).__name__} {cause}"), unclear=sent)
        except (openai.APIError, httpx.HTTPError, ValueError, AttributeError) as error:
            # A body that was cut off, is not JSON, or has another form: the SDK does not check it.
            return _Failed(f"its answer cannot be read ({type(error).__name__})")

    def _status_failure(self, error: openai.APIStatusError) -> _Failed:
        status = error.status_code
        reason = self.shown(f"{status} {error.message}")
        passing = status in (408, 409, 429) or status >= 500
        if not passing or error.code in _NO_QUOTA:
            return _Failed(reason, lasting=True, unclear=False)
        try:
            wait = max(0.0, float(error.response.headers.get("retry-after", 0)))
        except ValueError:  # a date
            wait = _LONGEST_PAUSE_S
        return _Failed(reason, unclear=status != 429, wait_s=wait)


class _Patience:
    """The waits between the tries of one call: 1, 2, 4 ... 60 seconds, or what the API asks for.

    They take fifteen minutes in all.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = clock.now()
        self._seconds = 1.0

    def wait(self, failed: _Failed) -> bool:
        """Wait after a failed try; return False without a wait where that was the last one."""
        seconds = max(self._seconds, failed.wait_s)
        if failed.lasting or self._clock.now() - self._begun + seconds > _PATIENCE_S:
            return False
        self._clock.sleep(seconds)
        self._seconds = min(2 * self._seconds, _LONGEST_PAUSE_S)
        return True


def _identity(resource: object) -> str:
    """Return the id of a resource.

    Raises:
        ValueError: it has none.
    """
    identity = getattr(resource, "id", None)
    if not isinstance(identity, str) or not identity:
        raise ValueError("no id")
    return identity


def _is_ours(job: FineTuningJob, file_id: str, nonce: str) -> bool:
    return job.training_file == file_id or (job.metadata or {}).get(NONCE) == nonce
