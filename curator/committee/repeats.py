"""Repeats of a prompt as one request (`n`), where the endpoint answers and counts them all."""

from __future__ import annotations

from collections.abc import Sequence

from curator.committee.endpoints import estimated_usage
from curator.committee.engine_context import RequestGroup
from curator.committee.requests import ModelReply
from curator.config import ModelConfig
from curator.records import Usage

_ONE_CHOICE = 0.75  # of a single answer's tokens per byte; below it, the usage does not count all answers


class RepeatGrouping:
    """Decides whether several answers are asked for at once.

    The first request for several answers proves that all come and are all counted in the usage. If not, every answer gets
    a request of its own.

    Attributes:
        works: True where that was seen, False where it does not work or is not wanted, None where it is not known yet.
    """

    def __init__(self, config: ModelConfig) -> None:
        wanted = config.provider == "openai" and config.group_repeats and not config.send_seed
        self.works: bool | None = None if wanted else False
        self._tokens_per_byte = 0.0  # of the first answer, which had a request of its own

    @property
    def tried(self) -> bool:
        """True unless every answer gets a request of its own."""
        return self.works is not False

    def refused(self) -> None:
        """End the grouping after a refusal of several answers, unless it has worked before."""
        if self.works is None:
            self.works = False

    def usage(self, group: RequestGroup, reply: ModelReply, replies: Sequence[ModelReply]) -> Usage:
        """Return the request's usage, as reported or as estimated.

        The first request for several answers also proves here whether the usage counts all of them.
        """
        if reply.usage is None:
            return estimated_usage(group.calls[0].input_tokens, [answer.text for answer in replies])
        if not group.proves or any(answer.failure for answer in replies):
            return reply.usage
        usage, size = reply.usage, sum(len(answer.text.encode()) for answer in replies)
        if len(group.calls) == 1:
            self._tokens_per_byte = self._tokens_per_byte or usage.output_tokens / max(1, size)
            return usage
        counted = usage.output_tokens >= _ONE_CHOICE * self._tokens_per_byte * size
        self.works = counted and self.tried
        if counted:
            return usage
        estimated = estimated_usage(group.calls[0].input_tokens, [answer.text for answer in replies])
        return Usage(usage.input_tokens, max(usage.output_tokens, estimated.output_tokens), estimated=True)
