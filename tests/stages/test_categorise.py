"""Categories from scored cases: private words never name anything."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from curator.records import Case, Difference, Message, Source
from curator.records.differences import CaseContrasts, Contrast
from curator.stages.categorise import CategoryResult, categorise
from tests.disagreement.contrasts.made_cases import contrasts

WRONG = Difference("tool", "", "create_refund", "handover")
SYSTEM = (
    "You are the assistant of Brightwater Furniture. Be courteous, truthful and concise. Escalate grievances. " * 40
)
PEOPLE = ("Aoife", "Tomasz", "Niamh")
PRIVATE = re.compile(r"aoife|tomasz|niamh|byrne|example|\d|brightwater|courteous|grievance|truthful", re.IGNORECASE)


def case(number: int, text: str, *, weight: int = 1, system: str = SYSTEM) -> Case:
    messages = (Message("system", system), Message("user", text))
    return Case(f"c{number:03}", messages, Source("log", number + 1), "answer", task="desk", weight=weight)


def failing(number: int, difference: Difference | None) -> CaseContrasts:
    name = f"c{number:03}"
    contrast = Contrast(name, "production", (difference,), 1.0, "given", "expected") if difference else None
    return CaseContrasts(name, contrast, None, frozenset(difference.keys if difference else ()), {}, 6)


def names_of(result: CategoryResult) -> str:
    return "\n".join(" ".join((c.name, c.sentence, *c.keywords)) for c in result.categories)


def letters(draw: random.Random) -> str:
    """A letter of a customer with a name, an order number and an address."""
    person = draw.choice(PEOPLE)
    number = f"ORD-{draw.randrange(10**6)}"
    return f"my name is {person}, order {number} came broken, write to {person.lower()}.byrne@mail.example"


def test_names_ids_addresses_and_the_system_prompt_name_nothing() -> None:
    draw = random.Random(1)
    texts = [letters(draw) if n < 60 else f"please tell me the opening hours, number {n}" for n in range(200)]
    cases = [case(n, text) for n, text in enumerate(texts)]
    result = categorise(cases, {c.id: failing(n, WRONG if n < 60 else None) for n, c in enumerate(cases)}, {}, {})
    assert "broken" in names_of(result)
    assert not PRIVATE.search(names_of(result))


def test_names_and_ids_in_free_text_name_nothing() -> None:
    draw = random.Random(2)
    cases, answers = [], {}
    for n in range(120):
        person, fails = draw.choice(PEOPLE), n < 30
        usual = [
            f"{hello} {person}, order {n + 4000} can go back to us" for hello in ("Hello", "Hi", "Dear", "Good day")
        ]
        target = f"Hello {person}, order {n + 4000} only earns a voucher" if fails else draw.choice(usual)
        question = f"the {'lamp' if fails else 'sofa'} of {person} is broken, order {n + 4000}"
        cases.append(case(n, question))
        answers[cases[-1].id] = contrasts("text", usual, target, question=question, case_id=cases[-1].id)
    result = categorise(cases, answers, {}, {})
    assert "voucher" in names_of(result)
    assert not PRIVATE.search(names_of(result))


def few(order: Sequence[int]) -> CategoryResult:
    cases = [case(n, f"question about a {'lamp' if n % 2 else 'sofa'}") for n in order]
    return categorise(cases, {c.id: failing(int(c.id[1:]), WRONG if c.id < "c030" else None) for c in cases}, {}, {})


def test_the_order_of_the_log_does_not_matter() -> None:
    assert few(range(60)) == few(random.Random(3).sample(range(60), 60))


def test_every_case_of_a_category_has_its_contrast() -> None:
    result = few(range(60))
    assert result.contrasts.keys() == {case_id for c in result.categories for case_id in c.case_ids}
    assert all(contrast.differences == (WRONG,) for contrast in result.contrasts.values())
    assert result.profiles.keys() == {category.id for category in result.categories}
    assert {result.shown[category.id] for category in result.categories if category.parent is None} == {30}


def test_labels_and_weights_rank_the_categories() -> None:
    other = Difference("tool", "", "close", "handover")
    cases = [case(n, "a question", weight=3 if n < 20 else 1) for n in range(100)]
    answers = {c.id: failing(n, other if n < 20 else WRONG if n < 50 else None) for n, c in enumerate(cases)}
    top = categorise(cases, answers, {}, {c.id: 1.0 for c in cases[:50]}).categories
    assert [c.sides[0].text for c in top if c.parent is None] == ["calls close", "calls create_refund"]
    right = categorise(cases, answers, {}, {c.id: float(n >= 20) for n, c in enumerate(cases[:50])}).categories
    assert [c.sides[0].text for c in right if c.parent is None] == ["calls create_refund", "calls close"]


def test_a_task_can_be_named_anew_and_cases_without_contrasts_are_left_out() -> None:
    cases = [case(n, "a question") for n in range(20)]
    answers = {c.id: failing(n, WRONG) for n, c in enumerate(cases[:15])}
    (category,) = categorise(cases, answers, {}, {}, tasks={c.id: "other" for c in cases}).categories
    assert (category.task, len(category.case_ids)) == ("other", 15)
    assert categorise([], {}, {}, {}) == CategoryResult(())
