"""The cases of the categories as JSON, which the page carries and its script shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

from curator.records import Case, Category, Contrast, Diagnosis, JsonValue, Message, Scalar, Score
from curator.report.answer_groups import AnswerGroup
from curator.report.faced_answers import SIDES, shown_contrast
from curator.report.static_page import inert_json
from curator.report.word_diff import TextRun
from curator.text.display import Excerpt, clean, excerpt, one_line

MOST_CASES = 2000
"""Cases that the page carries: with 2,000 it is a file of some megabytes, which a browser opens at once."""
QUEUE_FILE, EVAL_FILE = "label_queue.csv", "eval_set.jsonl"
_INPUT_LIMIT, _ANSWER_LIMIT, _SYSTEM_LIMIT, _TURN_LIMIT = 1200, 400, 2000, 400
_SHOWN_ANSWERS, _SHOWN_TURNS = 5, 6
_SHOWN_KEYS, _KEY_LIMIT, _VALUE_LIMIT = 12, 40, 100
_SECRET_KEY = re.compile(r"api.?key|secret|password|passwd|authori[sz]ation|credential|(?:^|_)token$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageRecords:
    """The records from which the page's cases are made.

    Attributes:
        cases: by id.
        scores: by case id; a case that was not scored has none.
        answers_of: returns the committee's answers to a case in groups that mean the same.
        diagnoses: by case id.
        contrasts: by case id; a case without one shows the answers that oppose each other most.
        queue: the row of each case in `queue_file`, the head being row 1.
        eval_set: the line of each case in `eval_set.jsonl`, from 1.
    """

    cases: Mapping[str, Case]
    scores: Mapping[str, Score]
    answers_of: Callable[[str], Sequence[AnswerGroup]]
    diagnoses: Mapping[str, Diagnosis] = field(default_factory=dict)
    contrasts: Mapping[str, Contrast] = field(default_factory=dict)
    queue: Mapping[str, int] = field(default_factory=dict)
    eval_set: Mapping[str, int] = field(default_factory=dict)
    queue_file: str = QUEUE_FILE


@dataclass(frozen=True, slots=True)
class PageCases:
    """The cases that the page carries; `omitted` more are in the categories.

    `system_prompts` has each system prompt once; a row names its own by index.
    """

    rows: tuple[Mapping[str, JsonValue], ...] = ()
    system_prompts: tuple[JsonValue, ...] = ()
    omitted: int = 0
    queue_file: str = QUEUE_FILE

    def to_script(self) -> bytes:
        """Return the JSON for a `<script>` element; no text in it can end the element."""
        return inert_json(
            {
                "cases": self.rows,
                "systems": self.system_prompts,
                "sides": SIDES,
                "queue": self.queue_file,
                "evals": EVAL_FILE,
            }
        )


def page_cases(categories: Sequence[Category], records: PageRecords, *, most: int = MOST_CASES) -> PageCases:
    """Return the cases of the categories, those that fail most likely first.

    Of more than `most` cases the top-level categories give equal numbers, as far as they have them, so that a small one is
    carried whole. Within a category, log records x score decides.
    """
    parts: dict[str, list[str]] = {}
    for category in categories:
        for case_id in category.case_ids:
            parts.setdefault(case_id, []).append(category.id)
    ranked = [_ranked(category.case_ids, records) for category in categories if category.parent is None]
    turns = chain.from_iterable(zip_longest(*ranked))
    chosen = list(dict.fromkeys(case_id for case_id in turns if case_id is not None))
    kept = set(chosen[:most])
    prompts = {system: n for n, system in enumerate(dict.fromkeys(records.cases[i].system for i in chosen[:most]))}
    return PageCases(
        rows=tuple(_row(i, records, parts[i], prompts) for i in _ranked(kept, records)),
        system_prompts=tuple(_cut(prompt, _SYSTEM_LIMIT) for prompt in prompts),
        omitted=len(chosen) - len(kept),
        queue_file=records.queue_file,
    )


def _ranked(case_ids: Iterable[str], records: PageRecords) -> list[str]:
    def rank(case_id: str) -> tuple[float, str]:
        score = records.scores.get(case_id)
        return -((score.disagreement if score else None) or 0.0) * records.cases[case_id].weight, case_id

    return sorted(case_ids, key=rank)


def _row(case_id: str, records: PageRecords, parts: Sequence[str], prompts: Mapping[str, int]) -> dict[str, JsonValue]:
    """Return a case; values that it does not have are left out."""
    case, score, groups = records.cases[case_id], records.scores.get(case_id), records.answers_of(case_id)
    contrast = shown_contrast(case, groups, records.contrasts.get(case_id))
    diagnosis = records.diagnoses.get(case_id)
    row: dict[str, JsonValue] = {
        "id": case_id,
        "in": list(parts),
        "source": clean(str(case.source)),
        "task": one_line(case.task, _VALUE_LIMIT) if case.task else None,
        "kind": case.kind or (score.kind if score else None),
        "weight": case.weight,
        "thumb": case.feedback.thumb if case.feedback else None,
        "score": score.disagreement if score else None,
        "diagnosis": diagnosis.name if diagnosis else None,
        "metadata": _metadata(case.metadata),
        "system": prompts[case.system] if case.system else None,
        "earlier": [[m.role, *_cut(_turn_text(m), _TURN_LIMIT)] for m in _earlier(case)],
        "input": _cut(case.user, _INPUT_LIMIT),
        "target": None if case.target is None else _cut(case.target, _ANSWER_LIMIT),
        "reference": [case.reference.source, *_cut(case.reference.text, _ANSWER_LIMIT)] if case.reference else None,
        "basis": contrast.basis if contrast else None,
        "given": _runs(contrast.given) if contrast else None,
        "expected": _runs(contrast.expected) if contrast else None,
        "answers": [_answer(group) for group in groups[:_SHOWN_ANSWERS]],
        "more": sum(group.count for group in groups[_SHOWN_ANSWERS:]),
        "queue": records.queue.get(case_id),
        "eval": records.eval_set.get(case_id),
    }
    return {name: value for name, value in row.items() if value not in (None, [], {})}


def _earlier(case: Case) -> Collection[Message]:
    """Return the last turns before the input; the system prompt is shown apart."""
    turns = [message for message in case.messages if message.role != "system"]
    last = max((n for n, message in enumerate(turns) if message.role == "user"), default=len(turns))
    return [*turns[:last], *turns[last + 1 :]][-_SHOWN_TURNS:]


def _turn_text(message: Message) -> str:
    return "\n".join([message.content, *(f"{call.name}({call.arguments})" for call in message.tool_calls)]).strip()


def _metadata(metadata: Mapping[str, Scalar]) -> dict[str, JsonValue]:
    """Return the metadata to filter by; values whose key names a secret are left out."""
    keys = [key for key in metadata if not _SECRET_KEY.search(key)][:_SHOWN_KEYS]
    return {one_line(key, _KEY_LIMIT): one_line(str(metadata[key]), _VALUE_LIMIT) for key in keys}


def _answer(group: AnswerGroup) -> dict[str, JsonValue]:
    return {
        "text": _cut(group.text, _ANSWER_LIMIT),
        "count": group.count,
        "by": [one_line(name, _KEY_LIMIT) for name in group.by],
        "target": group.is_target,
        "readable": group.readable,
    }


def _runs(runs: Iterable[TextRun]) -> list[JsonValue]:
    """Return equal runs as strings and differing ones as lists of one string."""
    return [[run.text] if run.differs else run.text for run in runs]


def _cut(text: str, limit: int) -> list[JsonValue]:
    """Return the beginning of a text, and how many characters are left out, if any."""
    beginning: Excerpt = excerpt(text, limit)
    return [beginning.text, beginning.omitted] if beginning.omitted else [beginning.text]
