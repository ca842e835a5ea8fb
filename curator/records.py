"""The frozen records that pass between stages, and how they are written to JSON.

A stage takes records and returns records; nothing here reads, writes or decides. The words are those of
`docs/architecture.md`: a *case* is one production input with its context, a *member* one seat of the committee,
a *generation* one member's answer to one case, a *score* what the answers' disagreement amounts to, a *pick* a
case that the selection drew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import orjson

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
Scalar = str | int | float | bool

Role = Literal["system", "user", "assistant", "tool"]
Kind = Literal["label", "choice", "boolean", "number", "date", "json", "tool_call", "code", "short", "text"]
AnswerKind = Kind | Literal["refusal", "empty"]
Thumb = Literal["up", "down"]
ReferenceSource = Literal["label", "correction", "teacher"]
Slice = Literal["random", "disagreement"]
Split = Literal["eval", "train"]
MergeReason = Literal["exact", "near"]
Trend = Literal["new", "back", "grew", "shrank", "steady"]
DiagnosisName = Literal[
    "refusing",
    "format-broken",
    "ambiguous",
    "split-by-model",
    "prompt-sensitive",
    "sampling-unstable",
    "consistently-wrong",
    "against-production",
    "stable",
    "not-enough-data",
]

CUT_NOTE = " more characters: see the JSONL file]"  # ends a cell of the label queue that holds a part of its text
# A spreadsheet takes a cell that begins so for a formula: the label queue is written with a `'` before it, and read without.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
KINDS: tuple[Kind, ...] = ("label", "choice", "boolean", "number", "date", "json", "tool_call", "code", "short", "text")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function call the assistant asked for; `arguments` is the JSON text as it was logged."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message. `content` is "" for an assistant turn that only calls tools."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    def as_openai(self) -> dict[str, JsonValue]:
        """The message in the shape of the chat-completions API."""
        message: dict[str, JsonValue] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            message["content"] = self.content or None
            message["tool_calls"] = [
                {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                for c in self.tool_calls
            ]
        if self.tool_call_id is not None:
            message["tool_call_id"] = self.tool_call_id
        return message


@dataclass(frozen=True, slots=True)
class Source:
    """Where a record stood: the file as the user named it, and its first line, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the application's user said of the logged answer."""

    thumb: Thumb | None = None
    correction: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """An answer that is trusted, and why: a human label, a user's correction, or a named teacher model.

    `slice` is how the case came into the selection that the label was given for, None where that is not known, and
    `probability` the chance with which it was drawn.
    """

    text: str
    source: ReferenceSource
    by: str | None = None
    slice: Slice | None = None
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far production's answer fails, 0 (it is right) to 1, as people judged it; `slice` is why they were asked."""

    failure: float
    slice: Slice | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One production input with its context.

    `messages` is what the model was asked, without the logged answer; that answer is `target`. `options` are those
    sampling options of the logged request that shape an answer (max_tokens, stop, response_format, tools, tool_choice).
    A reader gives every log record as a case of weight 1; `weight` then counts the log records a kept case stands for,
    and `group` names its near-duplicate group (the case id in it that came first). `verdict` is what somebody who looked said
    of the target.
    """

    id: str
    messages: tuple[Message, ...]
    source: Source
    target: str | None = None
    task: str | None = None
    kind: Kind | None = None
    model: str | None = None
    finish_reason: str | None = None
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    feedback: Feedback | None = None
    reference: Reference | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    log_id: str | None = None
    weight: int = 1
    group: str = ""
    verdict: Verdict | None = None

    @property
    def system(self) -> str:
        """The system messages as one text, "" if there are none."""
        return "\n\n".join(m.content for m in self.messages if m.role == "system")

    @property
    def user(self) -> str:
        """The last user message's text, "" if there is none."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def corrected(self) -> bool:
        """Whether nothing but a user's correction tells what the answer should have been."""
        return self.verdict is None and self.reference is not None and self.reference.source == "correction"

    @property
    def truncated(self) -> bool:
        """Whether the logged answer stopped at the token limit, so that it is no whole answer."""
        return self.finish_reason == "length"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A log record that was set aside: where it stands, what is wrong and what the user can do."""

    source: Source
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Merged:
    """A log record that a kept case (`into`) stands for; `id` is its own case id, `similarity` 1.0 for an exact one."""

    source: Source
    id: str
    into: str
    how: MergeReason
    similarity: float


@dataclass(frozen=True, slots=True)
class Member:
    """One seat of the committee. `options` are further fields of the request body."""

    id: str
    model: str
    variant: str
    temperature: float
    max_tokens: int
    options: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request as the provider reported them, or as estimated where it reported none."""

    input_tokens: int
    output_tokens: int
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Generation:
    """One answer to one case. A call that failed for good has `error` set and an empty `text`."""

    case_id: str
    text: str
    model: str | None = None
    variant: str | None = None
    temperature: float | None = None
    sample_index: int = 0
    finish_reason: str | None = None
    usage: Usage | None = None
    cost_usd: float = 0.0
    latency_s: float = 0.0
    logprobs: tuple[float, ...] | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """What the committee's answers to one case amount to; contract 4 of `docs/architecture.md` gives each field.

    `n` counts the answers compared. With n < 2 nothing can be said: the numbers are None and `reason` says why.
    `within + between` is the target-free disagreement of the committee, in 0..1. `fields` says of structured answers where
    they differ: by dotted path the share of answer pairs, those that differ most first; None for other kinds.
    """

    id: str
    disagreement: float | None
    within: float | None
    between: float | None
    against_target: float | None
    kind: Kind
    scorer: str
    majority: str | None
    agreement: float | None
    n: int
    reason: str | None = None
    fields: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A share in 0..1 of `n` cases with its 95% interval; the numbers are None where n is too small to say anything."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class MemberHealth:
    """How one member of the committee answers, and what its answers count for.

    The rates are means over the cases that it was asked about, so that `n` counts cases: the repeats of one prompt are
    not independent of each other.

    Attributes:
        model: of the member; "" where it is not known.
        variant: of the member; "" where it is not known.
        temperature: of the member; None where it is not known.
        answers: what it said, failed calls not counted.
        failed: its calls that failed for good.
        unreadable: answers in which no answer of the kind could be read, those that refuse not counted.
        refused: answers that say they give none.
        empty: answers that say nothing; they are among the unreadable ones.
        agreement: answers that mean the same as the most usual answer of the other members.
        kappa: that agreement corrected for chance, at most 1; 0 is what a constant answer gets.
        accuracy: answers that mean the same as the label, on the labelled cases of the random slice.
        weight: what its answers count for, 0 (left out) to 1.
        reason: why, in words.
    """

    model: str
    variant: str
    temperature: float | None
    answers: int
    failed: int
    unreadable: Rate
    refused: Rate
    empty: Rate
    agreement: Rate
    kappa: float | None
    accuracy: Rate
    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """How far repeats of one prompt at temperature 0 differ: what the provider's own noise comes to.

    Attributes:
        floor: the chance that two of them differ, in 0..1, a mean over the cases; None where these are too few.
        differing: the share of the prompts whose repeats were not all the same; n counts cases.
        spread: the chance that two answers of the whole committee differ, on the same cases.
        cold: every answer was given at temperature 0.
        one_prompt: every case was asked with one prompt of one model.
    """

    floor: float | None
    differing: Rate
    spread: float | None
    cold: bool
    one_prompt: bool


@dataclass(frozen=True, slots=True)
class BlindShare:
    """The known failures of production, and the share of them whose score is at most `threshold`: nobody would look.

    `by_source` counts them by how they are known. `left_out` were labelled because the committee disagreed on them, so
    that they cannot tell what it does not see.
    """

    unseen: Rate
    threshold: float
    by_source: Mapping[str, int]
    left_out: int


@dataclass(frozen=True, slots=True)
class FailureRate:
    """How often production fails, by the labels of a selection that was drawn for it.

    Attributes:
        rate: over the log records behind the pool, 0..1; None with a `reason`.
        low: the lower end of the interval.
        high: the upper end.
        confidence: of the intervals.
        labels: the labels that it goes by.
        missing: selected cases without a label.
        worth: how many random labels tell as much; None where that is not known.
        silent: the rate where the committee agrees with itself and with production; the numbers are None where too few
            labels are there.
        silent_records: how many records that are.
        reason: why there is no rate.
    """

    rate: float | None
    low: float | None
    high: float | None
    confidence: float
    labels: int
    missing: int
    worth: float | None
    silent: Rate
    silent_records: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the pattern of the answers says about one case, or about a group of them, and what to do about it.

    The three parts are means over the cases, in 0..1, and add up to the committee's own disagreement; None where no case
    had two answers. `certain` is False where the pattern only suggests the name.
    """

    name: DiagnosisName
    advice: str
    evidence: str
    cases: int
    answers: int
    between_models: float | None
    between_variants: float | None
    within: float | None
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Pick:
    """A selected case, and how it came in.

    Attributes:
        case_id: the case.
        rank: its place in the selection, from 1.
        slice: `disagreement` (discovery) or `random` (the probability sample that an estimate goes by).
        inclusion_probability: the chance with which the design drew it, among the cases that were left when it was
            drawn; 1 for discovery.
        split: `eval` (held out) or `train`.
        gain: what it added to discovery's objective; None for a drawn case.
        stage: the round of drawing, from 1.
        stratum: of the stage; None for discovery.
        draw: its place in the order of drawing, from 1: labelling the first ones of it is a smaller sample.
        reason: why discovery took it, in words.
    """

    case_id: str
    rank: int
    slice: Slice
    inclusion_probability: float
    split: Split
    gain: float | None = None
    stage: int = 1
    stratum: int | None = None
    draw: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CategoryChange:
    """What became of a category since the night before.

    Attributes:
        trend: `back` where it was known and not seen the night before.
        before: its cases the night before; None where it was not seen then.
        nights: in how many nights it was seen.
        split_from: the id of the category that a new one was a part of.
        merged: the ids of those that are a part of it now.
    """

    trend: Trend
    before: int | None
    nights: int
    split_from: str | None = None
    merged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GoneCategory:
    """A category that was seen the night before, with `before` cases, and is not any more; `into` names what it is a part of."""

    id: str
    name: str
    before: int
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """A named group of unstable cases: `case_ids` are ordered from the most typical on.

    `id` and `name` stay from night to night while its centre holds; `change` is None on the first night.
    """

    id: str
    name: str
    keywords: tuple[str, ...]
    case_ids: tuple[str, ...]
    change: CategoryChange | None = None


def case_id(messages: Iterable[Message]) -> str:
    """The content id of an input: `c` and 16 hex digits (64 bits) of the SHA-256 of its normalised messages."""
    parts = [[m.role, normalise_space(m.content), [[c.name, c.arguments] for c in m.tool_calls]] for m in messages]
    return "c" + hashlib.sha256(orjson.dumps(parts)).hexdigest()[:16]


def normalise_space(text: str) -> str:
    """The text with each run of white space as one blank and none at its ends."""
    return " ".join(text.split())


def fingerprint(case_id: str, text: str) -> str:
    """What the label queue says of an input as shown: `t`, 8 hex digits of its words, and 8 of these and the case.

    A row that comes back tells by it whether its text was edited, and whether it is another case's. White space and
    punctuation do not count, as programs change them. It starts with a letter: a spreadsheet would round sixteen digits.
    """
    words = _digest(*re.findall(r"\w+", text))
    return f"t{words}{_digest(case_id, words)}"


def fingerprint_fits(mark: str, case_id: str, text: str | None) -> tuple[bool, bool]:
    """Whether a `fingerprint` is this case's, and whether it is this text's; True where that cannot be told.

    Queues of earlier versions have fingerprints of another kind, of which nothing is said.
    """
    if not re.fullmatch("t[0-9a-f]{16}", mark):
        return True, True
    words = mark[1:9]
    return mark[9:] == _digest(case_id, words), text is None or words == _digest(*re.findall(r"\w+", text))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:8]


def stable_unit(*parts: str) -> float:
    """A number in [0, 1) that depends on the texts alone: the same on every machine, in every run."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def random_order(ids: Iterable[str], seed: int) -> list[str]:
    """The ids in an order that hangs on them and the seed alone, not on the order they came in."""
    return sorted(ids, key=lambda id_: (stable_unit("random-slice", str(seed), id_), id_))


def with_group(case: Case) -> Case:
    """The case with itself as its near-duplicate group where it has none yet."""
    return case if case.group else replace(case, group=case.id)


def dump_line(value: object) -> bytes:
    """One JSON line with sorted keys: the same value is the same bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
