"""Empty answers at the token limit: hidden reasoning used it up, and nothing was said."""

from __future__ import annotations

from collections import defaultdict

from curator.committee.requests import CallFailed, PlannedCall
from curator.errors import NoAnswers
from curator.text.display import plural

_FIRST = 4
"""Empty answers of a member that has given no other answer, after which the run ends."""
_CASES = 2
"""Cases that they must be of: one long case shows nothing about the others."""


class EmptyAnswers:
    """Counts the members whose first answers are all empty at the token limit."""

    def __init__(self) -> None:
        self._answered: set[str] = set()
        self._cases: defaultdict[str, list[str]] = defaultdict(list)

    def answered(self, member_id: str) -> None:
        """Count an answer of a member; its later empty ones are failures of their cases."""
        self._answered.add(member_id)

    def empty(self, call: PlannedCall) -> bool:
        """Count an empty answer; return whether the member will not answer with this limit."""
        member_id = call.member.id
        if member_id in self._answered:
            return False
        cases = self._cases[member_id]
        cases.append(call.case_id)
        return len(cases) >= _FIRST and len(set(cases)) >= _CASES


def empty_reason(call: PlannedCall, setting: str, failure: CallFailed | None = None) -> str:
    """Return the reason why a call has no answer, with the limit and where it is set."""
    tokens = failure.reasoning_tokens if failure else None
    by = f" by hidden reasoning ({plural(tokens, 'token')})" if tokens else ""
    return f"empty answer: {limit_in_words(call, setting)} was used up{by}"


def empty_error(call: PlannedCall, setting: str, reason: str) -> NoAnswers:
    """Return the error that ends a run in which a member gives only empty answers."""
    raised = _raised(call, setting)
    return NoAnswers(
        f"model {call.member.model!r}: the first answers of {call.member.id!r} are all empty at the token limit ({reason})",
        remedy=f"{raised}; a model that reasons may need thousands of tokens. Then run again: it goes on from what is stored,"
        " and the empty answers are not used",
    )


def limit_in_words(call: PlannedCall, setting: str) -> str:
    """Return the token limit of a call with the place where it is set."""
    request, member = call.request, call.member
    for name in ("max_completion_tokens", "max_tokens"):
        if type(limit := request.options.get(name)) is int:
            return f"`{name}: {limit}` in the `options` of model {member.model!r}"
    if request.max_tokens < member.max_tokens:
        return f"`max_tokens: {request.max_tokens}` of the logged request (`{setting}` is {member.max_tokens})"
    return f"`{setting}: {member.max_tokens}`"


def _raised(call: PlannedCall, setting: str) -> str:
    request, member = call.request, call.member
    for name in ("max_completion_tokens", "max_tokens"):
        if type(request.options.get(name)) is int:
            return f"raise `{name}` in the `options` of model {member.model!r}"
    if request.max_tokens < member.max_tokens:
        return f"give model {member.model!r} a limit of its own: `options: {{max_tokens: {8 * member.max_tokens}}}`"
    return f"raise `{setting}`"
