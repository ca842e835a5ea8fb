"""Categories to their names and sentences, where a model of the config writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from curator.clustering.tracked_categories import TEMPLATE
from curator.clustering.written_names import Evidence, Refusal, WrittenName, choose, clamp, distinct, gather_evidence
from curator.committee.prices import price_of
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
    QuestionEstimate,
    QuestionUsage,
    Replies,
    ceiling,
    collect_replies,
)
from curator.config import CategoriesConfig, ModelConfig, NamesConfig
from curator.io.assets import asset
from curator.records import Basis, Case, Category, Contrast, Message
from curator.text.display import clean, plural
from curator.text.tokens import estimate_tokens

INPUT_LIMIT = 600
"""Characters of an input that the model sees: the question of most inputs, with its reason."""
ANSWER_LIMIT = 300
"""Characters of an answer that the model sees."""
TEMPERATURE = 0.7
"""Of the samples: a majority of equal ones says nothing."""
_SIDES: Mapping[Basis, tuple[str, str]] = {
    "label": ("answer of production", "answer by the label"),
    "production": ("answer of production", "answer of most of the committee"),
    "committee": ("answer of a part of the committee", "answer of most of the committee"),
}
_SCHEMA = reply_schema("category", {"name": {"type": "string"}, "sentence": {"type": "string"}})
_TOKENS_PER_CHARACTER = 1.5  # of CJK text, which `estimate_tokens` counts as 3 bytes a character and 2 bytes a token


@dataclass(frozen=True, slots=True)
class NamedCategories:
    """The categories, in the order that they had.

    Attributes:
        categories: those that the model named have its name in `named_by`.
        usage: of the model; None where it was not asked.
        warnings: what to know of the names that were refused.
    """

    categories: tuple[Category, ...]
    usage: QuestionUsage | None = None
    warnings: tuple[str, ...] = ()


def naming_prompt() -> QuestionPrompt:
    """Return the prompt that ships."""
    return load_question_prompt(asset("prompts", "categories", "name-category.md"), ("facts", "cases"))


async def name_categories(
    categories: Sequence[Category],
    contrasts: Mapping[str, Contrast],
    cases: Mapping[str, Case],
    config: CategoriesConfig,
    asking: Asking,
) -> NamedCategories:
    """Let the model of the config name the categories that templates named.

    A category that a model named on an earlier night keeps its name. Where the model fails, or its names are refused, the
    names of the templates stay.

    Args:
        categories: top-level ones and parts, the most important ones first.
        contrasts: by case id.
        cases: by case id; those of the categories and no others are read.
        config: without a model, nothing is asked.
        asking: what the questions need of the run.
    """
    model = config.namer
    asked = [c for c in categories if c.named_by == TEMPLATE][: config.names.most]
    if model is None or not asked:
        return NamedCategories(tuple(categories))
    prompt = naming_prompt()
    evidence = naming_evidence(categories, contrasts, cases, prompt)
    parents = {category.id: category.name for category in categories}
    questions = [_question(c, parents, contrasts, cases, config.names, prompt) for c in asked]
    replies = await collect_replies(questions, model, asking, samples=config.names.samples)
    chosen = {
        category.id: choose(
            _samples(replies.by_question.get(question.id, ()), evidence[category.id], config.names.samples)
        )
        for category, question in zip(asked, questions, strict=True)
    }
    results = distinct(chosen, {category.id: category.name for category in categories})
    usable = {i: result for i, result in results.items() if isinstance(result, WrittenName)}
    usage = QuestionUsage(
        model.name, prompt, len(questions), len(usable), replies.usd, replies.sent, replies.from_store
    )
    return NamedCategories(
        categories=tuple(_renamed(category, usable.get(category.id), model.name) for category in categories),
        usage=usage,
        warnings=tuple(_warnings(results, replies)),
    )


def names_ceiling(
    config: NamesConfig, model: ModelConfig, cases: Sequence[Case], *, answer_tokens: int
) -> QuestionEstimate:
    """Return the most that names can cost: `names.most` categories of the longest inputs.

    The categories are only known once the answers are stored; usually there are far fewer.
    """
    prompt = naming_prompt()
    longest = max((_tokens(case.user, INPUT_LIMIT) for case in cases), default=0)
    logged = max((_tokens(case.target or "", ANSWER_LIMIT) for case in cases), default=0)
    answer = min(max(answer_tokens, logged), round(ANSWER_LIMIT * _TOKENS_PER_CHARACTER))
    empty = Category("c", "", (), ("c",))
    bare = _question(empty, {}, {}, {}, config, prompt)
    first = next(bare.calls(model))
    facts = 400  # the sentence of a template, its words and its sides are cut by their own limits
    tokens = (
        first.input_tokens + facts + config.examples * (longest + 2 * answer + 150)
    )  # with the lines around each text
    calls = config.samples * min(config.most, len(cases))
    return ceiling(calls, calls * tokens, calls * first.request.output_limit, price_of(model))


def _question(
    category: Category,
    parents: Mapping[str, str],
    contrasts: Mapping[str, Contrast],
    cases: Mapping[str, Case],
    config: NamesConfig,
    prompt: QuestionPrompt,
) -> Question:
    shown = [i for i in category.case_ids if i in contrasts and i in cases][: config.examples]
    facts = "\n".join(_facts(category, parents))
    texts = [(n, title, text) for n, i in enumerate(shown, 1) for title, text in _shown(cases[i], contrasts[i])]
    nonce = nonce_of(facts, *(text for _, _, text in texts))
    blocks = "\n\n".join(
        f"{nonce} case {n}, {title}, begins\n{text}\n{nonce} case {n}, {title}, ends" for n, title, text in texts
    )
    messages = prompt.fill({"nonce": nonce, "facts": facts, "cases": blocks})
    return Question(
        id=f"name {category.id}",
        role="namer",
        prompt=prompt.id,
        messages=messages,
        schema=_SCHEMA,
        max_tokens=config.max_tokens,
        temperature=TEMPERATURE,
    )


def _facts(category: Category, parents: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each fact that was counted."""
    yield f"what fails: {clean(category.sentence or category.name)}"
    if category.parent is not None and category.parent in parents:
        yield f"it is a part of: {clean(parents[category.parent])}"
    if category.task:
        yield f"task: {shortened(clean(category.task), ANSWER_LIMIT)}"
    if category.keywords:
        yield f"words of the inputs: {clean(', '.join(category.keywords))}"
    for side in category.sides:
        yield f"{side.share:.0%} of the answers of {side.by}: {shortened(clean(side.text), ANSWER_LIMIT)}"


def _shown(case: Case, contrast: Contrast) -> Iterator[tuple[str, str]]:
    """Yield the title and the text of the input and of the two answers."""
    given, expected = _SIDES[contrast.basis]
    yield "input", shortened(clean(case.user), INPUT_LIMIT)
    yield given, shortened(clean(contrast.given), ANSWER_LIMIT)
    yield expected, shortened(clean(contrast.expected), ANSWER_LIMIT)


def naming_evidence(
    categories: Sequence[Category],
    contrasts: Mapping[str, Contrast],
    cases: Mapping[str, Case],
    prompt: QuestionPrompt,
) -> dict[str, Evidence]:
    """Return the words that the name of each category may and must have, by its id."""
    facts = {category.id: list(_fact_words(category, contrasts)) for category in categories}
    ids = {i for category in categories for i in category.case_ids if i in cases}
    texts = [_words_of(cases[i], contrasts.get(i)) for i in sorted(ids)]
    return gather_evidence(facts, texts, [prompt.system, *(category.sentence for category in categories)])


def _fact_words(category: Category, contrasts: Mapping[str, Contrast]) -> Iterator[str]:
    """Yield what differs in a category.

    Its sentence is not in it: the words around the difference also stand in other sentences.
    """
    yield category.name
    yield from category.keywords
    yield from (side.text for side in category.sides)
    yield category.aspect or ""
    differences = Counter(
        d for i in category.case_ids if i in contrasts for d in contrasts[i].differences if d.aspect == category.aspect
    )
    for difference, count in differences.most_common(3):
        if count > 1:  # the values of a single case may be names and ids
            yield from (difference.subject, difference.given, difference.expected, difference.change)


def _words_of(case: Case, contrast: Contrast | None) -> str:
    answers = [contrast.given, contrast.expected] if contrast else []
    return "\n".join([case.user, *answers])


def _samples(texts: Sequence[str], evidence: Evidence, count: int) -> list[WrittenName | Refusal]:
    """Return every sample of a question; a missing reply is a refused one."""
    missing: list[WrittenName | Refusal] = ["no reply"] * (count - len(texts))
    return [_read(text, evidence) for text in texts] + missing


def _read(text: str, evidence: Evidence) -> WrittenName | Refusal:
    reply = reply_object(text) or {}
    name, sentence = reply.get("name"), reply.get("sentence")
    if not isinstance(name, str) or not isinstance(sentence, str):
        return "not a reply of the form"
    return clamp(name, sentence, evidence)


def _renamed(category: Category, written: WrittenName | None, model: str) -> Category:
    if written is None:
        return category
    change = category.change
    if change and change.trend != "new":
        change = replace(change, renamed_from=category.name)
    return replace(category, name=written.name, sentence=written.sentence, named_by=model, change=change)


def _warnings(results: Mapping[str, WrittenName | Refusal], replies: Replies) -> Iterator[str]:
    refused = Counter(result for result in results.values() if not isinstance(result, WrittenName))
    if not refused:
        return
    usual = min(refused, key=lambda reason: (-refused[reason], reason))
    why = replies.stopped or f"most often: {usual}"
    yield (
        f"templates name {refused.total():,} of {plural(len(results), 'category', 'categories')}, for which the model gave no"
        f" usable name ({why})"
    )


def _tokens(text: str, limit: int) -> int:
    return estimate_tokens([Message("user", shortened(text, limit))], {})
