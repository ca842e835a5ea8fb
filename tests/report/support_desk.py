"""A made-up support desk with twelve ways to fail, for tests that look at whole pages."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from curator.disagreement.diagnosis.diagnose import ADVICE
from curator.records import (
    AnswerSide,
    Aspect,
    BlindShare,
    Case,
    Category,
    CategoryChange,
    Contrast,
    Diagnosis,
    DiagnosisName,
    FailureRate,
    Feedback,
    Generation,
    GoneCategory,
    JudgeQuality,
    Kind,
    Member,
    Message,
    NoiseFloor,
    Pick,
    PooledRate,
    Rate,
    Reference,
    Score,
    Source,
    Trend,
    UnseenKinds,
    Usage,
)
from curator.report.answer_groups import AnswerGroup, GivenAnswer, group_answers
from curator.report.case_payload import PageCases, PageRecords, page_cases
from curator.report.summary import FinetuneSummary, Summary
from tests.report.summary_kit import RunRecords, summarise

VARIANTS = ("plain", "careful", "restated")
SYSTEM = "You answer for the support desk of a shop. " + "Follow the rules of the handbook. " * 12


@dataclass(frozen=True)
class Mode:
    """A way to fail: `wrong` is what production answers where `right` is expected, with {n} for a number."""

    name: str
    sentence: str
    task: str
    kind: Kind
    aspect: Aspect
    sides: tuple[str, str]
    asked: str
    wrong: str
    right: str
    diagnosis: DiagnosisName
    parts: tuple[str, ...] = ()


MODES = (
    Mode("refund instead of a handover", "Creates a refund where a handover to a person is expected.", "agent", "tool_call", "tool",
         ("create_refund", "hand_over"), "Please refund the {n} dollars for order 4{n}, it arrived broken.",
         '{"tool": "create_refund", "arguments": {"order": 4{n}, "amount": {n}.00}}',
         '{"tool": "hand_over", "arguments": {"order": 4{n}, "reason": "amount above the limit"}}', "consistently-wrong",
         ("broken goods", "late parcels")),
    Mode("billing instead of returns", "Routes messages about returns to billing.", "route", "label", "label", ("billing", "returns"),
         "I sent the shoes of order {n} back two weeks ago and still have no money.", "billing", "returns", "against-production"),
    Mode("day and month swapped in the delivery date", "Swaps day and month in the field delivery_date.", "extract", "json", "field",
         ("3 April", "4 March"), "Invoice {n}: delivered on 03/04/2026, 2 boxes, 64.00 EUR.",
         '{"invoice": {n}, "delivery_date": "2026-04-03", "boxes": 2, "total": 64.0, "currency": "EUR"}',
         '{"invoice": {n}, "delivery_date": "2026-03-04", "boxes": 2, "total": 64.0, "currency": "EUR"}', "prompt-sensitive"),
    Mode("refuses questions about allergens", "Refuses to answer where an answer is expected.", "answer", "text", "refusal",
         ("refusal", "an answer"), "Does cake number {n} have nuts in it? My son is allergic.",
         "I am sorry, but I cannot give medical advice. Please see a doctor.",
         "Cake {n} has hazelnuts and may have traces of almonds, so it is not safe for him.", "refusing"),
    Mode("no JSON in the answer", "Answers with text where a record is expected.", "extract", "json", "format",
         ("no record", "a record"), "Bill {n}: three chairs at 40.00 EUR each, paid in cash.",
         "The bill {n} is about three chairs. The total is 120 euros.", '{"invoice": {n}, "total": 120.0, "currency": "EUR"}', "format-broken"),
    Mode("wrong limit in the answer about gift cards", "Says another amount than the answers of the committee.", "answer", "text", "value",
         ("50 dollars", "100 dollars"), "Can I put {n} dollars on one gift card?",
         "A gift card holds up to 50 dollars, so {n} dollars need more than one of them.",
         "A gift card holds up to 100 dollars, so {n} dollars need more than one of them.", "sampling-unstable"),
    Mode("currency missing", "Leaves the field currency out.", "extract", "json", "field", ("nothing", "GBP"),
         "Receipt {n}: tea and two scones, 9 pounds 40.", '{"invoice": {n}, "total": 9.4}',
         '{"invoice": {n}, "total": 9.4, "currency": "GBP"}', "prompt-sensitive"),
    Mode("account instead of delivery", "Routes messages about addresses to account.", "route", "label", "label",
         ("account", "delivery"), "Where do I change the address that parcel {n} goes to?", "account", "delivery", "ambiguous"),
    Mode("order id in the wrong argument", "Gives the customer's number as the argument order of look_up.", "agent", "tool_call", "argument",
         ("customer number", "order number"), "I am customer 77{n}. Where is my order {n}?",
         '{"tool": "look_up", "arguments": {"order": 77{n}}}', '{"tool": "look_up", "arguments": {"order": {n}}}', "split-by-model"),
    Mode("says no where yes is expected", "Answers no where yes is expected.", "policy", "boolean", "label", ("no", "yes"),
         "May a customer return item {n} after 20 days, if it is unused?", "no", "yes", "consistently-wrong"),
    Mode("promises a delivery date", "Promises what the answers of the committee do not.", "answer", "text", "content",
         ("a promise", "no promise"), "When will parcel {n} be here?", "Parcel {n} will be with you tomorrow before noon, for sure.",
         "I cannot say when parcel {n} will be with you; the tracking page shows where it is.", "against-production"),
    Mode("thumbs down without another sign", "Users reject answers on which the committee agrees.", "answer", "text", "complaint",
         ("rejected by users", ""), "Your shop page number {n} does not load on my phone.",
         "Please clear the cache of your browser.", "Please clear the cache of your browser, or use our app.", "stable"),
)  # fmt: skip


@dataclass(frozen=True)
class Desk:
    summary: Summary
    page: PageCases


def _failure_rate(categories: Sequence[Category]) -> FailureRate:
    """The rate by labels, of which the first two categories and one that people named have enough."""
    rate = FailureRate(0.21, 0.15, 0.29, 0.95, 96, 12, 88.0, Rate(0.03, 0.0, 0.1, 30), 400, any_time=(0.12, 0.36))
    top = [category.name for category in categories if category.parent is None]
    pooled = (PooledRate(0.62, 0.41, 0.8, 0.2), PooledRate(0.31, 0.12, 0.55, 0.6), PooledRate(0.5, 0.2, 0.8, 0.9))
    return replace(
        rate,
        unseen=UnseenKinds(20, 6, 2, 0.1, 0.27, 1.0, 0.078),
        by_category=dict(zip((top[0], top[1], "rude tone"), pooled, strict=True)),
    )


def support_desk(*, cases: int = 360, labelled: float = 0.25, tail: str = "", seed: int = 7) -> Desk:
    """`cases` cases, fewer for each further mode; `tail` is put behind every text of the log."""
    rng = random.Random(seed)
    share = [1 / (n + 2) for n in range(len(MODES))]
    each = [max(6, round(cases * s / sum(share))) for s in share]
    made = [_case(mode, n, i, tail, rng, labelled) for n, mode in enumerate(MODES) for i in range(each[n])]
    ids = [[case.id for case, _ in made if case.id.startswith(f"c{n:02x}")] for n in range(len(MODES))]
    by_id = {case.id: case for case, _ in made}
    generations = {case.id: answers for case, answers in made}
    groups = {i: _groups(by_id[i], answers) for i, answers in generations.items()}
    diagnoses = {i: _diagnosis(mode, 1) for mode, own in zip(MODES, ids, strict=True) for i in own}
    names = {i: mode for mode, own in zip(MODES, ids, strict=True) for i in own}
    scores = {i: _score(by_id[i], groups[i], names[i]) for i in by_id}
    categories = [c for n, mode in enumerate(MODES) for c in _categories(n, mode, ids[n], tail)]
    picks = [
        Pick(i, n, "random" if n % 4 == 0 else "disagreement", 0.3 if n % 4 == 0 else 1.0, ("eval", "train")[n % 2])
        for n, i in enumerate(list(by_id)[::3])
    ]
    contrasts = {i: _contrast(by_id[i], names[i], tail) for i in by_id}
    failures = {i: float(i in scores and (scores[i].against_target or 0) > 0.5) for i in by_id if by_id[i].reference}
    places = [(0.5 + 0.4 * np.cos(n) + rng.gauss(0, 0.03), 0.5 + 0.4 * np.sin(n) + rng.gauss(0, 0.03)) for n in
              (MODES.index(names[i]) for i in by_id)]  # fmt: skip
    records = RunRecords(
        name="support-desk", logs=("logs/2026-11-02.jsonl",), read=len(made), cases=list(by_id.values()), merged=(),
        unreadable=(), members=[Member(f"small/{v}/0.8", "small", v, 0.8, 200) for v in VARIANTS], generations=generations,
        scores=scores, answers_of=groups.__getitem__, embedded=list(by_id),
        layout=np.clip(np.array(places, np.float32), 0, 1), categories=categories, picks=picks,
        finetune=FinetuneSummary(5, {"label": 5}, {"no trusted target": len(made) - 5}), outputs={"label_queue.csv": len(picks)},
        health=(), noise=NoiseFloor(None, Rate(None, None, None, 0), None, cold=False, one_prompt=False),
        blind=BlindShare(Rate(None, None, None, 0), 0.05, {}, 0), diagnoses=diagnoses,
        diagnose=lambda own: _diagnosis(names[own[0]], len(own)),
        failure_rate=_failure_rate(categories) if labelled else None,
        judge=JudgeQuality(Rate(0.81, 0.6, 0.92, 21), Rate(0.94, 0.86, 0.98, 75), 96, 0) if labelled else None,
        moved={ids[0][0]: "rude tone", ids[1][0]: categories[0].name} if labelled else {},
        gone=(GoneCategory("gone", "greets twice", 9),), failures=failures, contrasts=contrasts,
        majority_matches={i: {"plain": 0.5, "careful": 1.0, "restated": 0.5} for i in by_id},
    )  # fmt: skip
    waiting = [p.case_id for p in picks if by_id[p.case_id].needs_label]
    held_out = [p.case_id for p in picks if p.split == "eval"]
    page = page_cases(
        categories,
        PageRecords(
            cases=by_id,
            scores=scores,
            answers_of=groups.__getitem__,
            diagnoses=diagnoses,
            contrasts=contrasts,
            queue={i: row for row, i in enumerate(waiting, 2)},
            eval_set={i: line for line, i in enumerate(held_out, 1)},
        ),
    )
    return Desk(summarise(records), page)


def _number(text: str, number: int) -> str:
    return text.replace("{n}", str(number))


def _case(
    mode: Mode, place: int, i: int, tail: str, rng: random.Random, labelled: float
) -> tuple[Case, list[Generation]]:
    number = 100 + 7 * i
    wrong, right = (_number(text, number) + tail for text in (mode.wrong, mode.right))
    earlier = (Message("user", f"Hello{tail}"), Message("assistant", "How can I help?")) if i % 3 == 0 else ()
    target = wrong if rng.random() < 0.8 else right
    case = Case(
        id=f"c{place:02x}{i:014x}",
        messages=(Message("system", SYSTEM + tail), *earlier, Message("user", _number(mode.asked, number) + tail)),
        source=Source("logs/2026-11-02.jsonl", 1 + place * 1000 + i),
        target=target,
        task=mode.task,
        kind=mode.kind,
        feedback=Feedback(thumb=rng.choice(("up", "down", "down"))) if rng.random() < 0.2 else None,
        reference=Reference(right, "label") if rng.random() < labelled else None,
        metadata={"plan": rng.choice(("free", "pro")), "language": rng.choice(("en", "de", "fr"))},
        weight=rng.choice((1, 1, 2, 5)),
    )
    texts = [right if rng.random() < 0.85 else wrong for _ in range(6)]
    answers = [
        Generation(case.id, text, "small", VARIANTS[n % 3], 0.8, sample_index=n // 3, usage=Usage(200, 30))
        for n, text in enumerate(texts)
    ]
    return replace(case, group=case.id), answers


def _groups(case: Case, answers: Sequence[Generation]) -> tuple[AnswerGroup, ...]:
    return group_answers([GivenAnswer(g.text, g.text, g.variant or "") for g in answers], target_key=case.target)


def _score(case: Case, groups: Sequence[AnswerGroup], mode: Mode) -> Score:
    against = sum(g.count for g in groups if not g.is_target) / 6
    spread = 1 - sum((g.count / 6) ** 2 for g in groups)
    fields = {"delivery_date": spread} if mode.task == "extract" else None
    return Score(
        case.id, round(0.1 + 0.8 * against, 3), spread * 0.4, spread * 0.6, against, mode.kind, "typed-1",
        groups[0].text, groups[0].count / 6, 6, fields=fields,
    )  # fmt: skip


def _diagnosis(mode: Mode, cases: int) -> Diagnosis:
    evidence = f"85% of {cases * 6} answers contradict production, and 92% of them are the same."
    return Diagnosis(
        mode.diagnosis, ADVICE[mode.diagnosis], evidence, cases, cases * 6, 0.0, 0.08, 0.11, certain=cases % 2 == 0
    )


def _contrast(case: Case, mode: Mode, tail: str) -> Contrast:
    number = 100 + 7 * int(case.id[3:], 16)
    other = _number(mode.right, number) + tail
    return Contrast(case.id, "label" if case.reference else "production", (), 0.85, case.target or "", other)


def _categories(place: int, mode: Mode, ids: Sequence[str], tail: str) -> list[Category]:
    trends: Mapping[int, Trend] = {0: "grew", 1: "steady", 2: "new"}
    trend = cast("Trend", trends.get(place % 4, "shrank"))
    top = Category(
        id=f"mode-{place:02d}", name=mode.name + tail, keywords=("order", "parcel", mode.task), case_ids=tuple(ids),
        change=CategoryChange(trend, None if trend == "new" else len(ids) - 2, 1 if trend == "new" else 3, now=len(ids),
                              merged=("gone",) if place == 1 else ()),
        sentence=mode.sentence + tail, task=mode.task, aspect=mode.aspect,
        sides=(AnswerSide(mode.sides[0] + tail, "production", 0.81), AnswerSide(mode.sides[1] + tail, "committee", 0.85),
               AnswerSide(mode.sides[0] + tail, "committee", 0.15)),
        border=ids[-1], first_seen="2026-10-31", last_seen="2026-11-02",
    )  # fmt: skip
    half = len(ids) // 2
    own = (ids[:half], ids[half:])
    parts = [
        replace(top, id=f"{top.id}-{n}", name=part + tail, parent=top.id, case_ids=tuple(own[n]), border=None,
                sentence=f"{mode.sentence[:-1]}, in messages about {part}.")
        for n, part in enumerate(mode.parts)
    ]  # fmt: skip
    return [top, *parts]
