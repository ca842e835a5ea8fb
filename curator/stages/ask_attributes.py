"""Cases to their attributes: a model answers the questions of the config about every case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from curator.committee.question_prompt import (
    QuestionPrompt,
    load_question_prompt,
    nonce_of,
    reply_object,
    reply_schema,
    shortened,
)
from curator.committee.questions import (
    Asking,
    Question,
    QuestionUsage,
    Replies,
    collect_replies,
)
from curator.config import AttributeConfig, CategoriesConfig
from curator.config.categories import ATTRIBUTE_LIMIT
from curator.io.assets import asset
from curator.records import Case, JsonValue, task_name
from curator.stages.ingest import IngestResult
from curator.text.display import clean, plural

PREFIX = "attribute."
"""Of the metadata keys that hold the answers: a key of the log never has the same name by accident."""
CONVERSATION_LIMIT = 4000
"""Characters of a conversation that the model sees, its head and its tail."""
ANSWER_LIMIT = 2000
"""Characters of production's answer that the model sees."""
_MARK_UP = frozenset("<>{}[]|`\\")


@dataclass(frozen=True, slots=True)
class AttributeAnswers:
    """The answers of a model to the questions of the config.

    Attributes:
        values: by case id and by the name of the attribute; a case that no value fits has none.
        usage: of the model; None without attributes.
        warnings: the questions that have no usable answer.
    """

    values: Mapping[str, Mapping[str, str]]
    usage: QuestionUsage | None = None
    warnings: tuple[str, ...] = ()


NO_ATTRIBUTES = AttributeAnswers({})


def attribute_prompt() -> QuestionPrompt:
    """Return the prompt that ships."""
    path = asset("prompts", "categories", "attribute.md")
    return load_question_prompt(path, ("conversation", "answer", "question", "values"))


async def ask_attributes(cases: Sequence[Case], config: CategoriesConfig, asking: Asking) -> AttributeAnswers:
    """Ask the model of the config about every case; without attributes nothing is asked.

    A limit of the budget, or a model that fails, leaves cases without an answer; it does not end the run.
    """
    if config.model is None or not config.attributes:
        return NO_ATTRIBUTES
    prompt = attribute_prompt()
    replies = await collect_replies(AttributeQuestions(cases, config.attributes, prompt), config.model, asking)
    values: dict[str, dict[str, str]] = {}
    unusable: dict[str, int] = {}
    for attribute in config.attributes:
        for case in cases:
            texts = replies.by_question.get(_question_id(attribute, case), ())
            usable, value = read_value(texts[0], attribute) if texts else (False, None)
            if value is not None:
                values.setdefault(case.id, {})[attribute.name] = value
            if not usable:
                unusable[attribute.name] = unusable.get(attribute.name, 0) + 1
    asked = len(cases) * len(config.attributes)
    usage = QuestionUsage(
        config.model.name,
        prompt,
        asked,
        asked - sum(unusable.values()),
        replies.usd,
        replies.sent,
        replies.from_store,
    )
    return AttributeAnswers(values, usage, tuple(_warnings(unusable, len(cases), replies)))


@dataclass(frozen=True, slots=True)
class AttributeQuestions:
    """The questions about cases: one for each case and attribute, made when they are needed."""

    cases: Sequence[Case]
    attributes: Sequence[AttributeConfig]
    prompt: QuestionPrompt

    def __len__(self) -> int:
        return len(self.cases) * len(self.attributes)

    def __iter__(self) -> Iterator[Question]:
        for case in self.cases:
            conversation, answer = conversation_text(case), shortened(clean(case.target or ""), ANSWER_LIMIT)
            texts = {"nonce": nonce_of(conversation, answer), "conversation": conversation, "answer": answer}
            for attribute in self.attributes:
                values = {**texts, "question": attribute.question, "values": _allowed(attribute)}
                yield Question(
                    id=_question_id(attribute, case),
                    role="attribute",
                    prompt=self.prompt.id,
                    messages=self.prompt.fill(values),
                    schema=_schema(attribute),
                    max_tokens=attribute.max_tokens,
                )


def read_value(text: str, attribute: AttributeConfig) -> tuple[bool, str | None]:
    """Return whether a reply is of the form, and its value.

    A value is one of the configured ones, or a short label in lower case. A reply of the form without a value says that none
    fits.
    """
    reply = reply_object(text)
    value = reply.get("value") if reply is not None else None
    if reply is None or "value" not in reply or not isinstance(value, str | None):
        return False, None
    if value is None:
        return True, None
    label = " ".join(value.split())
    if attribute.values:
        allowed = {option.strip().casefold(): option for option in attribute.values}
        return label.casefold() in allowed, allowed.get(label.casefold())
    if not 0 < len(label) <= ATTRIBUTE_LIMIT or not label.isprintable() or _MARK_UP & set(label):
        return False, None
    return True, label.casefold()


def with_attributes(intake: IngestResult, answers: AttributeAnswers) -> IngestResult:
    """Return the cases with the answers first in their metadata, as `attribute.<name>`.

    A report filters by the first keys.
    """

    def described(case: Case) -> Case:
        values = answers.values.get(case.id)
        if not values:
            return case
        answered = {PREFIX + name: value for name, value in values.items()}
        logged = {key: value for key, value in case.metadata.items() if key not in answered}
        return replace(case, metadata={**answered, **logged})

    if not answers.values:
        return intake
    return replace(
        intake,
        cases=tuple(described(case) for case in intake.cases),
        asked=tuple(described(case) for case in intake.asked),
    )


def task_keys(cases: Iterable[Case], attributes: Iterable[AttributeConfig]) -> dict[str, str]:
    """Return the key by which each case is grouped in categories, by case id.

    It is the name of its task, and its values of the attributes with `group: true`.
    """
    grouping = [attribute.name for attribute in attributes if attribute.group]
    return {
        case.id: " | ".join(
            [
                task_name(case.task, case.system),
                *(f"{name}: {value}" for name in grouping if (value := case.metadata.get(PREFIX + name)) is not None),
            ]
        ).removeprefix(" | ")
        for case in cases
    }


def _question_id(attribute: AttributeConfig, case: Case) -> str:
    return f"{attribute.name} {case.id}"


def conversation_text(case: Case) -> str:
    """The turns without the system prompt, as a model beside the committee sees them."""
    turns = (f"{m.role}: {m.content}" for m in case.messages if m.role != "system" and m.content)
    return shortened(clean("\n\n".join(turns)), CONVERSATION_LIMIT)


def _allowed(attribute: AttributeConfig) -> str:
    if not attribute.values:
        return f'Answer with a label of one to three words, at most {ATTRIBUTE_LIMIT} characters: {{"value": "..."}}.'
    return "Answer with one of: " + ", ".join(f'"{value}"' for value in attribute.values) + "; or null if none fits."


def _schema(attribute: AttributeConfig) -> JsonValue:
    value: dict[str, JsonValue] = {"type": ["string", "null"]}
    return reply_schema(
        "attribute", {"value": value | ({"enum": [*attribute.values, None]} if attribute.values else {})}
    )


def _warnings(unusable: Mapping[str, int], cases: int, replies: Replies) -> Iterator[str]:
    why = f" ({replies.stopped})" if replies.stopped else ""
    for name, count in unusable.items():
        yield f"attribute {name!r}: the model gave no usable answer on {count:,} of {plural(cases, 'case')}{why}"
