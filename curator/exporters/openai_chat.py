"""Fine-tune data in OpenAI's chat format, from cases whose target is trusted and that are not held out.

Format: https://developers.openai.com/api/docs/guides/supervised-fine-tuning; Azure, Together, Fireworks, TRL and Axolotl
read it too. Its schema (`FineTuneChatRequestInput`) allows further keys beside `messages`, so that `metadata` passes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from curator.contamination.questions import is_telling
from curator.contamination.records import IN_WORDS, Match, MatchKind
from curator.records import Case, JsonValue, Reference, Split, normalise_space
from curator.text.shingles import normalise

UNTRUSTED = "no label, no correction and no trusted model's answer"
CUT_OFF = "a trusted model's answer, but it was cut off or ended in an error"
DISLIKED = "a trusted model's answer, but the user gave it a thumb down"
JUDGED_WRONG = "a trusted model's answer, but somebody judged it wrong"
HELD_OUT = "held out: it, or a near-duplicate of it, belongs to the eval split"
CONTINUES_HELD_OUT = "held out: it goes on from a held-out conversation"
ASKS_HELD_OUT = "held out: a question of a held-out case stands in its conversation"
LEAKS: Mapping[MatchKind, str] = {kind: f"held out, see leaks.jsonl: {words}" for kind, words in IN_WORDS.items()}
NO_TOOLS = "the target calls tools whose definitions are not in the log"

_Turns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FinetuneSet:
    """The rows, their number by source of the target, and the number of cases that did not become one, by reason.

    Rows + excluded = the cases that came in.
    """

    rows: tuple[dict[str, JsonValue], ...]
    by_source: Mapping[str, int]
    excluded: Mapping[str, int]


def finetune_rows(
    cases: Iterable[Case],
    *,
    split_of_group: Callable[[str], Split],
    trusted_models: Collection[str],
    held_out: Iterable[Case] = (),
    leaks: Iterable[Match] = (),
) -> FinetuneSet:
    """Make a training row of every case that has a trusted target and is not held out.

    A target is a human label, else a user's correction, else the logged answer of one of `trusted_models` that was
    neither cut off nor disliked. A case is held out when its near-duplicate group is in the eval split or is the group
    of one of `held_out` (cases to keep out whatever their split), when its conversation goes on from theirs, when a user
    turn of it asks what one of theirs asks last, or when one of `leaks` is about it.
    """
    cases = tuple(cases)
    sieve = _Sieve(cases, held_out, split_of_group, trusted_models)
    leaking = {match.row: LEAKS[match.kind] for match in leaks}
    rows: list[dict[str, JsonValue]] = []
    sources: Counter[str] = Counter()
    excluded: Counter[str] = Counter()
    for case in cases:
        found = sieve.sort(case)
        if isinstance(found, str):
            excluded[found] += 1
        elif case.id in leaking:
            excluded[leaking[case.id]] += 1
        else:
            rows.append(_row(case, *found))
            sources[found[0].source] += 1
    return FinetuneSet(tuple(rows), dict(sorted(sources.items())), dict(sorted(excluded.items())))


def trainable(
    cases: Iterable[Case], *, split_of_group: Callable[[str], Split], trusted_models: Collection[str]
) -> list[Case]:
    """The cases that `finetune_rows` makes a row of where nothing leaks."""
    cases = tuple(cases)
    sieve = _Sieve(cases, (), split_of_group, trusted_models)
    return [case for case in cases if not isinstance(sieve.sort(case), str)]


class _Sieve:
    """Says of each case what is trained on, or why it is not."""

    def __init__(
        self,
        cases: Sequence[Case],
        held_out: Iterable[Case],
        split_of_group: Callable[[str], Split],
        trusted_models: Collection[str],
    ) -> None:
        kept_out = [*held_out, *(c for c in cases if split_of_group(c.group) == "eval")]
        self._groups = {c.group for c in kept_out}
        self._conversations = {_turns(c) for c in kept_out}
        self._questions = {question for c in kept_out if is_telling(question := normalise(c.user))}
        self._trusted_models = trusted_models

    def sort(self, case: Case) -> tuple[Reference, dict[str, JsonValue]] | str:
        """The target and the message to train on, or the reason why there is none."""
        target = _trusted_target(case, self._trusted_models)
        if isinstance(target, str):
            return target
        if case.group in self._groups:
            return HELD_OUT
        if any(prefix in self._conversations for prefix in _beginnings(_turns(case))):
            return CONTINUES_HELD_OUT
        if self._questions & _questions(case):
            return ASKS_HELD_OUT
        answer = _assistant_turn(target.text, case)
        return NO_TOOLS if answer is None else (target, answer)


def _trusted_target(case: Case, trusted_models: Collection[str]) -> Reference | str:
    """The answer to train on, or the reason why there is none."""
    if case.reference and case.reference.text.strip():
        return case.reference
    if case.model not in trusted_models or not (case.target or "").strip():
        return UNTRUSTED
    if case.truncated or case.finish_reason in ("content_filter", "error"):
        return CUT_OFF
    if case.feedback and case.feedback.thumb == "down":
        return DISLIKED
    if case.verdict and case.verdict.failure:
        return JUDGED_WRONG
    return Reference(text=case.target or "", source="teacher", by=case.model)


def _turns(case: Case) -> _Turns:
    """The conversation without its system prompt, which near-duplicates may differ in."""
    return tuple((m.role, normalise_space(m.content)) for m in case.messages if m.role != "system")


def _questions(case: Case) -> set[str]:
    """The user's turns as near-duplicates are compared: case, punctuation and courtesies do not matter."""
    return {normalise(m.content) for m in case.messages if m.role == "user"}


def _beginnings(turns: _Turns) -> Iterable[_Turns]:
    return (turns[:end] for end in range(1, len(turns) + 1))


def _assistant_turn(text: str, case: Case) -> dict[str, JsonValue] | None:
    """The target as the message to train on; None for tool calls that come without the tools' definitions."""
    calls = _tool_calls(text)
    if not calls:
        return {"role": "assistant", "content": text}
    if not _tools(case):
        return None
    return {"role": "assistant", "content": None, "tool_calls": calls}


def _tool_calls(text: str) -> list[JsonValue]:
    """The calls of a target that a reader wrote as `{"tool_calls": [{"name", "arguments"}]}`; [] for any other text."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    calls = value.get("tool_calls") if isinstance(value, dict) else None
    if not isinstance(calls, list) or not all(isinstance(c, dict) and isinstance(c.get("name"), str) for c in calls):
        return []
    return [
        {"id": f"call_{number}", "type": "function", "function": {"name": c["name"], "arguments": _json_text(c)}}
        for number, c in enumerate(calls, start=1)
    ]


def _json_text(call: Mapping[str, JsonValue]) -> str:
    """The arguments as the JSON text the format wants, whether they were logged as text or as an object."""
    arguments = call.get("arguments", "")
    return arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()


def _tools(case: Case) -> list[JsonValue]:
    tools = case.options.get("tools")
    return tools if isinstance(tools, list) else []


def _row(case: Case, target: Reference, answer: dict[str, JsonValue]) -> dict[str, JsonValue]:
    row: dict[str, JsonValue] = {
        "messages": [*_history(case), answer],
        "metadata": {
            key: value
            for key, value in {
                "case_id": case.id,
                "group": case.group,
                "task": case.task,
                "target_source": target.source,
                "target_by": target.by,
                "source": str(case.source),
            }.items()
            if value is not None
        },
    }
    if tools := _tools(case):
        row["tools"] = tools
    return row


def _history(case: Case) -> Sequence[JsonValue]:
    """The conversation so far. Its assistant turns are logged answers that nobody vouches for: weight 0, not trained on."""
    return [m.as_openai() | ({"weight": 0} if m.role == "assistant" else {}) for m in case.messages]
