"""A model of a loop to its answers, and to the share of them that are right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from curator.answers.kind_detection import detect_task_kind
from curator.answers.read import read_answer
from curator.committee.plan import Plan
from curator.committee.prices import prices_of
from curator.committee.prompts import load_variants
from curator.committee.questions import Asking
from curator.config import CategoriesConfig, CommitteeConfig, Config, EquivalenceConfig, ModelConfig, TaskConfig
from curator.config.logs import kind_of
from curator.disagreement.equivalence.comparers import ComparerFactory, WordComparer
from curator.disagreement.ground_truth import failure_of_record
from curator.records import Case, Generation, Kind, Pick, Slice
from curator.records.loop import LoopCase, LoopLabel, Prediction, SliceErrors
from curator.records.recorded import Recorded
from curator.stages.ask import ask
from curator.stages.score import Scorer
from curator.trainers import Classifier

_CLASSES: frozenset[Kind] = frozenset({"label", "boolean", "number", "short"})
PROMPT = "plain"
"""A fine-tuned model gets the prompts as they were logged, which are those it was trained on."""


def classify(classifier: Classifier, items: Sequence[LoopCase]) -> tuple[Prediction, ...]:
    """Return the most probable class of each case; no answer to a case without a text."""
    with_text = [item for item in items if item.text]
    rows = classifier.probabilities([item.text for item in with_text]) if with_text else np.zeros((0, 1))
    best = {
        item.case.id: classifier.classes[int(place)] for item, place in zip(with_text, rows.argmax(axis=1), strict=True)
    }
    return tuple(
        Prediction(item.case.id, best.get(item.case.id), None if item.text else "the case has no text")
        for item in items
    )


async def ask_trained(
    model: ModelConfig, cases: Sequence[Case], config: Config, asking: Asking
) -> tuple[Prediction, ...]:
    """Ask a trained model once about each case, at temperature 0 and through the engine.

    Raises:
        BudgetReached: a limit of `budget:` ends the asking; the answers so far are stored.
        ProviderError: the endpoint refuses, or gives no answer at all.
    """
    committee = CommitteeConfig(
        models=(model,), variants=(PROMPT,), temperatures=(0.0,), repeats=1, max_tokens=config.committee.max_tokens
    )
    alone = config.model_copy(
        update={
            "committee": committee,
            "equivalence": EquivalenceConfig(),
            "categories": CategoriesConfig(),
            "judge": None,
        }
    )
    variants = load_variants(committee.variants, None)
    plan = Plan(tuple(cases), committee, variants, config.seed, prices_of(committee.models))
    result = await ask(alone, plan, Scorer(alone, cases, variants), asking)
    if result.stopped is not None:
        raise result.stopped
    return tuple(_prediction(case.id, result.generations.get(case.id, ())) for case in cases)


def _prediction(case_id: str, generations: Sequence[Generation]) -> Prediction:
    if not generations:
        return Prediction(case_id, None, "the model was not asked")
    first = generations[0]
    return Prediction(case_id, None if first.error else first.text, first.error)


def correct_answers(
    predictions: Iterable[Prediction],
    answers: Mapping[str, str],
    cases: Mapping[str, Case],
    config: Config,
    comparer: ComparerFactory,
) -> dict[str, float | None]:
    """Compare answers with the right ones: by case id 1 where they mean the same, else 0.

    An answer that is missing is wrong. None where free text in other words may say the same, which `comparer` cannot tell. Cases
    without a right answer are left out.
    """
    judged = [prediction for prediction in predictions if prediction.case_id in answers]
    kinds = kinds_of_cases([cases[prediction.case_id] for prediction in judged], answers, config)
    correct: dict[str, float | None] = {}
    for prediction in judged:
        case = cases[prediction.case_id]
        if prediction.answer is None:
            correct[case.id] = 0.0
            continue
        record = Recorded(
            id=case.id, answers=(), target=prediction.answer, kind=kinds[case.id],
            labels=config.tasks.get(case.task or "", TaskConfig()).labels,
            input="\n\n".join(message.content for message in case.messages), question=case.user,
        )  # fmt: skip
        correct[case.id] = _agreement(record, answers[case.id], comparer)
    return correct


def production_score(labels: Mapping[str, LoopLabel], right: Mapping[str, float | None]) -> float | None:
    """Return the share of cases that production answered rightly, 0..1; None without any.

    Args:
        labels: by case id; a verdict counts before the comparison of the answers.
        right: by case id of the held-out cases, 1 where production's answer means the same as the label; None where that cannot
            be told.
    """
    scores = [
        score
        for case_id, compared in right.items()
        if (score := compared if (failure := labels[case_id].failure) is None else 1.0 - failure) is not None
    ]
    return sum(scores) / len(scores) if scores else None


def _agreement(record: Recorded, right_answer: str, comparer: ComparerFactory) -> float | None:
    """Return 1 for an answer that means the same, 0 for another; None if undecidable."""
    compare = comparer(record.question)
    if record.kind == "text" and comparer is not WordComparer:  # a model tells what words leave open
        answers = [read_answer(text, "text", input=record.input) for text in (record.target or "", right_answer)]
        first, second = compare.classes(answers, None)
        return float(first == second)
    failure = failure_of_record(record, right_answer, compare)
    return None if failure is None else 1.0 - failure


def kinds_of_cases(cases: Sequence[Case], answers: Mapping[str, str], config: Config) -> dict[str, Kind]:
    """Return the kind of each case: as logged or configured, else detected by task."""
    by_task: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_task[case.task or ""].append(case)
    kinds: dict[str, Kind] = {}
    for task, of_task in by_task.items():
        kind = kind_of(config.tasks.get(task, TaskConfig()))
        detected = kind or detect_task_kind([((answers[case.id],), case.user) for case in of_task])
        kinds |= {case.id: case.kind or detected for case in of_task}
    return kinds


def class_names(answers: Mapping[str, str], cases: Mapping[str, Case], config: Config) -> dict[str, str]:
    """Return right answers, those that are equal by value in a single spelling.

    They are a single class then. The spelling is that of `tasks.labels`, else the most frequent one. Texts, and options whose meaning
    depends on the question, stay as they are.
    """
    kinds = kinds_of_cases([cases[i] for i in answers], answers, config)
    keys: dict[str, tuple[str, str]] = {}
    spellings: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    names: dict[tuple[str, str], str] = {}
    for case_id, text in sorted(answers.items()):
        if (kind := kinds[case_id]) not in _CLASSES:
            continue
        task = cases[case_id].task or ""
        labels = config.tasks.get(task, TaskConfig()).labels
        names |= {(task, read_answer(label, kind, labels=labels).key): label for label in labels}
        if key := read_answer(text, kind, labels=labels).key:
            keys[case_id] = task, key
            spellings[task, key][text.strip()] += 1
    frequent = {key: min(texts, key=lambda text: (-texts[text], text)) for key, texts in spellings.items()}
    names = frequent | names
    return {i: names[keys[i]] if i in keys else text for i, text in answers.items()}


def slice_errors(
    picks: Sequence[Pick], correct: Mapping[str, float | None], cases: Mapping[str, Case]
) -> tuple[SliceErrors, ...]:
    """Return the errors of the model before on a round's cases, by slice, in all and by task."""
    errors: Counter[tuple[Slice, str]] = Counter()
    counts: Counter[tuple[Slice, str]] = Counter()
    for pick in picks:
        right = correct.get(pick.case_id)
        if pick.split == "eval" or right is None:
            continue
        for task in {"", cases[pick.case_id].task or ""}:
            counts[pick.slice, task] += 1
            errors[pick.slice, task] += right < 1
    return tuple(SliceErrors(*place, errors[place], cases=counts[place]) for place in sorted(counts))
