"""Training examples: the cases with a trusted answer that are not held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from curator.contamination.questions import is_specific
from curator.contamination.records import IN_WORDS, Match, MatchKind
from curator.exporters.training_rows import TOO_LONG, row_problem
from curator.records import Case, JsonValue, Message, Reference, ReferenceSource, Split, ToolCall, normalise_space
from curator.text.shingles import decisive_tokens, normalise
from curator.text.tokens import estimate_tokens

UNTRUSTED = "no label, no correction and no trusted model's answer"
CUT_OFF = "a trusted model's answer, but it was cut off or ended in an error"
DISLIKED = "a trusted model's answer, but the user gave it a thumb down"
JUDGED_WRONG = "a trusted model's answer, but a person judged it wrong"
HELD_OUT = "held out: it, or a near-duplicate of it, belongs to the eval split"
CONTINUES_HELD_OUT = "held out: it continues a held-out conversation"
ASKS_HELD_OUT = "held out: its conversation asks a question of a held-out case"
LEAKS: Mapping[MatchKind, str] = {kind: f"held out, see leaks.jsonl: {words}" for kind, words in IN_WORDS.items()}
SAME_QUESTION = "the same question has a row already, with a trusted answer at least as good"
NO_TOOLS = "the target calls tools whose definitions are not in the log"

_SOURCES: tuple[ReferenceSource, ...] = ("label", "correction", "teacher")

_Turns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A conversation and the trusted answer to train on, never of a held-out case.

    Attributes:
        case_id: of the case.
        messages: the conversation before the answer. Its assistant turns are logged and not checked: do not train on them.
        answer: the assistant message to train on.
        target_source: where the answer is from.
        target_by: the annotator or model that gave it.
        tools: the definitions of the tools that the request offered.
        group: the near-duplicate group of the case.
        task: as logged.
        source: the file and line of the record.
    """

    case_id: str
    messages: tuple[Message, ...]
    answer: Message
    target_source: ReferenceSource
    target_by: str | None = None
    tools: tuple[JsonValue, ...] = ()
    group: str = ""
    task: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The examples by source of the target, and the excluded cases by reason.

    Examples + excluded = the cases that came in.
    """

    examples: tuple[TrainingExample, ...]
    by_source: Mapping[str, int]
    excluded: Mapping[str, int]


def training_set(
    cases: Iterable[Case],
    *,
    split_of_group: Callable[[str], Split],
    trusted_models: Collection[str],
    held_out: Iterable[Case] = (),
    leaks: Iterable[Match] = (),
    max_tokens: int | None = None,
) -> TrainingSet:
    """Make an example of every case that has a trusted target and is not held out.

    A target is a human label, else a user's correction, else the logged answer of one of `trusted_models` that was
    neither cut off nor disliked nor judged wrong. A case is held out in any of these cases:

    * its near-duplicate group is in the eval split, or is the group of one of `held_out` (cases to exclude in any split);
    * its conversation continues the conversation of such a case;
    * one of its user turns asks the last question of such a case;
    * one of `leaks` is about it.

    A question that production answered differently has several cases. It gets one row: of a label before a correction before a
    teacher's answer, and of equals that of most log records. An example with more than `max_tokens` tokens (estimated) is excluded:
    a trainer would cut its answer off.
    """
    cases = tuple(cases)
    target_filter = _TargetFilter(cases, held_out, split_of_group, trusted_models)
    leaking = {match.row: LEAKS[match.kind] for match in leaks}
    examples: list[TrainingExample] = []
    sources: Counter[str] = Counter()
    excluded: Counter[str] = Counter()
    best: dict[str, tuple[int, int]] = {}
    candidates: list[tuple[Case, TrainingExample]] = []
    for case in cases:
        example = target_filter.example_of(case)
        if isinstance(example, str):
            excluded[example] += 1
        elif case.id in leaking:
            excluded[leaking[case.id]] += 1
        elif max_tokens is not None and _length(example) > max_tokens:
            excluded[TOO_LONG] += 1
        else:
            candidates.append((case, example))
            question = case.question or case.id
            best[question] = min(best.get(question, (len(_SOURCES), 0)), _rank(case, example))
    for case, example in candidates:
        question = case.question or case.id
        if best.get(question) == _rank(case, example):
            del best[question]
            examples.append(example)
            sources[example.target_source] += 1
        else:
            excluded[SAME_QUESTION] += 1
    return TrainingSet(tuple(examples), dict(sorted(sources.items())), dict(sorted(excluded.items())))


def _length(example: TrainingExample) -> int:
    """The estimated tokens of a row."""
    return estimate_tokens((*example.messages, example.answer), {"tools": list(example.tools)} if example.tools else {})


def _rank(case: Case, example: TrainingExample) -> tuple[int, int]:
    """The place of a row among those of its question; the smallest is kept."""
    return _SOURCES.index(example.target_source), -case.weight


def trainable_cases(
    cases: Iterable[Case], *, split_of_group: Callable[[str], Split], trusted_models: Collection[str]
) -> list[Case]:
    """Return the cases that `training_set` makes an example of where there are no leaks."""
    cases = tuple(cases)
    target_filter = _TargetFilter(cases, (), split_of_group, trusted_models)
    return [case for case in cases if not isinstance(target_filter.example_of(case), str)]


class _TargetFilter:
    """Decides for each case whether it is trained on: its example, or the reason why not."""

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
        self._questions = {_question(c.user) for c in kept_out if is_specific(normalise(c.user))}
        self._trusted_models = trusted_models

    def example_of(self, case: Case) -> TrainingExample | str:
        """Return the example of a case, or the reason why it is excluded."""
        target = _trusted_target(case, self._trusted_models)
        if isinstance(target, str):
            return target
        if case.group in self._groups:
            return HELD_OUT
        if any(prefix in self._conversations for prefix in _prefixes(_turns(case))):
            return CONTINUES_HELD_OUT
        if self._questions & _questions(case):
            return ASKS_HELD_OUT
        answer = _answer_message(target.text, case)
        if answer is None:
            return NO_TOOLS
        return row_problem(case.messages, answer, _tools(case)) or _example(case, target, answer)


def _trusted_target(case: Case, trusted_models: Collection[str]) -> Reference | str:
    """Return the answer to train on, or the reason why there is none."""
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


def _example(case: Case, target: Reference, answer: Message) -> TrainingExample:
    return TrainingExample(
        case_id=case.id,
        messages=case.messages,
        answer=answer,
        target_source=target.source,
        target_by=target.by,
        tools=_tools(case),
        group=case.group,
        task=case.task,
        source=str(case.source),
    )


def _turns(case: Case) -> _Turns:
    """Return the conversation without its system prompt, in which near-duplicates may differ."""
    return tuple((m.role, normalise_space(m.content)) for m in case.messages if m.role != "system")


_Question = tuple[str, tuple[str, ...]]


def _questions(case: Case) -> set[_Question]:
    """Return the user's turns as near-duplicates are compared: no case, no punctuation."""
    return {_question(m.content) for m in case.messages if m.role == "user"}


def _question(text: str) -> _Question:
    """Return a turn with its numbers: requests of one template may differ in an identifier only."""
    return normalise(text), decisive_tokens(text)


def _prefixes(turns: _Turns) -> Iterable[_Turns]:
    return (turns[:end] for end in range(1, len(turns) + 1))


def _answer_message(text: str, case: Case) -> Message | None:
    """Return the message to train on; None for tool calls without the definitions of the tools."""
    words, calls = _tool_calls(text)
    if not calls:
        return Message("assistant", text)
    return Message("assistant", words, calls) if _tools(case) else None


def _tool_calls(text: str) -> tuple[str, tuple[ToolCall, ...]]:
    """Read the text and the calls of `{"content", "tool_calls": [{"name", "arguments"}]}`.

    Other texts have no calls.
    An answer that is JSON itself may have the key `tool_calls` beside keys of its own: it stays as it is.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return "", ()
    if not isinstance(value, dict) or not value.keys() <= {"content", "tool_calls"}:
        return "", ()
    calls, words = value.get("tool_calls"), value.get("content", "")
    if not isinstance(calls, list) or not all(isinstance(c, dict) and isinstance(c.get("name"), str) for c in calls):
        return "", ()
    numbered = enumerate(calls, start=1)
    return str(words or ""), tuple(ToolCall(f"call_{number}", c["name"], _arguments_text(c)) for number, c in numbered)


def _arguments_text(call: Mapping[str, JsonValue]) -> str:
    """Return the arguments as JSON text; they may have been logged as an object."""
    arguments = call.get("arguments", "")
    return arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()


def _tools(case: Case) -> tuple[JsonValue, ...]:
    tools = case.options.get("tools")
    return tuple(tools) if isinstance(tools, list) else ()
