"""Made-up committees with a planted cause: groups of cases whose raw answers one cause shapes.

`plant` draws the shape of a committee (kind, models, variants, temperatures, repeats), the size of the group, the noise and
the share of affected cases, and lets the cause decide what each member answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

from benchmarks.clustering.planted_answers import KINDS, LABELS, REFUSALS, Wordings, wordings
from curator.answers.read import Answer, read_answer
from curator.disagreement.contrasts.case_contrasts import ContrastInput
from curator.disagreement.equivalence.comparers import WordComparer
from curator.disagreement.ground_truth import failure_of
from curator.disagreement.members.case_answers import ComparableCase, group_case_answers
from curator.disagreement.members.votes import MemberKey
from curator.records import DiagnosisName, Kind

TEMPERATURES: tuple[tuple[float, ...], ...] = (
    (1.0,), (0.7,), (0.0,), (0.0, 1.0), (0.2, 0.8), (0.0, 0.7), (0.0, 0.5, 1.0), (0.3, 0.7, 1.0),
)  # fmt: skip
MOST_ANSWERS, SMALLEST, LARGEST = 10, 3, 60
UNREADABLE, REFUSAL, OTHER_TOOL, RIGHT = -1, -2, -3, 0
"""An answer is the number of its meaning, or one of these."""
UNREADABLE_LABEL = "see the note in the ticket, the customer was called twice and both colleagues wrote something"


@dataclass(frozen=True, slots=True)
class Shape:
    """A committee and a group of cases.

    Attributes:
        kind: of the answers.
        members: each answer of a case, by its member.
        size: the number of cases.
        noise: the probability that any answer is wrong by chance; at a low temperature a third of it.
        affected: the share of the cases that the cause affects.
        labelled: the share of the cases with a label; 0 for none.
        contradicted: only cases in which half of the committee or more contradicts production, as a category of failures has.
    """

    kind: Kind
    members: tuple[MemberKey, ...]
    size: int
    noise: float
    affected: float
    labelled: float
    contradicted: bool

    @property
    def variants(self) -> tuple[str, ...]:
        """The prompt variants."""
        return tuple(dict.fromkeys(m.variant for m in self.members))

    @property
    def models(self) -> tuple[str, ...]:
        """The models."""
        return tuple(dict.fromkeys(m.model for m in self.members))


Says = Callable[[MemberKey, Random], int]
PRODUCTION = MemberKey("production", "production", 0.7)


@dataclass(frozen=True, slots=True)
class PlantedCase:
    """The answers of one case: the number of the meaning of each, and the right one's number by the label.

    `verdict` is the verdict of people who do not agree; of a case that is `judged_only` there is a verdict and no label.
    """

    committee: tuple[int, ...]
    production: int
    label: int | None = None
    verdict: float | None = None
    judged_only: bool = False


@dataclass(frozen=True, slots=True)
class PlantedGroup:
    """A group of cases with its planted cause."""

    cause: DiagnosisName
    shape: Shape
    cases: tuple[ContrastInput, ...]


def plant(cause: DiagnosisName, rng: Random) -> PlantedGroup:
    """Plant a cause in a group of cases of a drawn shape."""
    shape = draw_shape(cause, rng)
    says_of = CAUSES[cause](shape, rng)
    cases = []
    while len(cases) < shape.size:
        case = _case(shape, says_of(rng), rng)
        if not shape.contradicted or _is_contradicted(case):
            cases.append(case)
    labelled = _labelled(cause, shape, cases, rng)
    return PlantedGroup(cause, shape, tuple(_read(shape, case, rng) for case in labelled))


def draw_shape(cause: DiagnosisName, rng: Random) -> Shape:
    """Draw a committee in which the cause can act."""
    while True:
        kind: Kind = "tool_call" if cause == "wrong-tool" else rng.choice(KINDS)
        models, variants, temperatures = rng.randint(1, 3), rng.randint(1, 4), rng.choice(TEMPERATURES)
        prompts = models * variants * len(temperatures)
        possible = (
            prompts <= MOST_ANSWERS
            and not (cause == "prompt-sensitive" and variants < 2)
            and not (cause == "split-by-model" and models < 2)
            and not (cause == "format-broken" and kind in ("short", "text"))
            and not (cause == "sampling-unstable" and max(temperatures) < 0.5)
        )
        repeats = rng.randint(1, MOST_ANSWERS // prompts) if possible else 0
        if prompts * repeats >= 2:
            break
    members = tuple(
        MemberKey(f"m{m}", f"v{v}", t)
        for m in range(models)
        for v in range(variants)
        for t in temperatures
        for _ in range(repeats)
    )
    quiet = cause in ("stable", "consistently-wrong")
    return Shape(
        kind=kind,
        members=members,
        size=round(SMALLEST * (LARGEST / SMALLEST) ** rng.random()),
        noise=rng.choice((0.0, 0.01, 0.03)) if cause == "stable" else rng.choice((0.0, 0.03, 0.06, 0.1)),
        affected=rng.choice((0.4, 0.6, 0.8, 1.0)),
        labelled=rng.choice((0.3, 0.6, 1.0)) if cause == "consistently-wrong" or rng.random() < 0.4 else 0.0,
        contradicted=not quiet and rng.random() < 0.5,
    )


def _case(shape: Shape, says: Says, rng: Random) -> PlantedCase:
    def answer(member: MemberKey) -> int:
        temperature = member.temperature or 0.0
        noisy = rng.random() < (shape.noise if temperature > 0.3 else shape.noise / 3)
        return rng.randint(1, 3) if noisy else says(member, rng)

    return PlantedCase(tuple(answer(member) for member in shape.members), answer(PRODUCTION))


def _is_contradicted(case: PlantedCase) -> bool:
    same = sum(answer == case.production for answer in case.committee)
    return 2 * same <= len(case.committee)


def _labelled(cause: DiagnosisName, shape: Shape, cases: list[PlantedCase], rng: Random) -> list[PlantedCase]:
    """Label some cases, three in ten by a verdict only; 2% of the labels are wrong.

    Of an unclear input people choose one of its two readings.
    """
    if not shape.labelled:
        return cases
    least = 3 if cause == "consistently-wrong" else 0
    chosen = set(rng.sample(range(len(cases)), max(least, round(shape.labelled * len(cases)))))
    labelled = []
    for number, case in enumerate(cases):
        if number not in chosen:
            labelled.append(case)
            continue
        label = rng.randint(0, 1) if cause == "ambiguous" else RIGHT
        label = rng.randint(1, 3) if rng.random() < 0.02 else label
        disputed = cause == "ambiguous" and rng.random() < 0.3
        verdict = 0.5 if disputed else None
        labelled.append(replace(case, label=label, verdict=verdict, judged_only=rng.random() < 0.3))
    return labelled


def _read(shape: Shape, case: PlantedCase, rng: Random) -> ContrastInput:
    """Write the answers down, read them, and group them as a run does."""
    words = wordings(shape.kind, rng)

    def read(number: int) -> tuple[str, Answer]:
        text = _text(words, number, rng)
        return text, read_answer(text, shape.kind, labels=LABELS if shape.kind == "label" else ())

    target_text, target = read(case.production)
    label_text, label = (None, None) if case.label is None else read(case.label)
    if label_text is not None and rng.random() < 0.03:
        label_text, label = UNREADABLE_LABEL, read_answer(UNREADABLE_LABEL, shape.kind, labels=LABELS)
    judged_only = case.judged_only or shape.kind == "text"
    usable = label if label is not None and label.key and not judged_only else None
    question = "What is to be done here?"
    committee = [read(number) for number in case.committee]
    comparable = ComparableCase("case", question, tuple(answer for _, answer in committee), target, usable)
    grouped = group_case_answers(comparable, shape.members, shape.kind, WordComparer(question))
    verdict = case.verdict
    if judged_only and case.label is not None and verdict is None:
        verdict = float(case.label != case.production)
    return ContrastInput(
        case_id="case",
        question=question,
        grouped=grouped,
        texts=tuple(text for text, _ in committee),
        target=target_text,
        reference=label_text,
        failure=failure_of(verdict=verdict, text=label_text, answer=target_text, agrees=grouped.agrees),
    )


def _text(words: Wordings, number: int, rng: Random) -> str:
    if number == UNREADABLE:
        return rng.choice(words.unreadable)
    if number == REFUSAL:
        return rng.choice(REFUSALS)
    return rng.choice(words.other_tool if number == OTHER_TOOL else words.meanings[number])


Plant = Callable[[Shape, Random], Callable[[Random], Says]]
"""Makes a planter of a group; for each case that returns what a member says."""


def _where_affected(shape: Shape, affected: Says) -> Callable[[Random], Says]:
    """Return a planter of cases: `affected` speaks on the share of cases that the cause affects."""

    def of_case(rng: Random) -> Says:
        return affected if rng.random() < shape.affected else lambda _member, _rng: RIGHT

    return of_case


def _faulty_variant(shape: Shape, rng: Random) -> Callable[[Random], Says]:
    faulty = set(rng.sample(shape.variants, rng.randint(1, len(shape.variants) // 2)))
    production = shape.contradicted or rng.random() < 0.5

    def says(member: MemberKey, _rng: Random) -> int:
        return int(production if member == PRODUCTION else member.variant in faulty)

    return _where_affected(shape, says)


def _faulty_model(shape: Shape, rng: Random) -> Callable[[Random], Says]:
    faulty = rng.choice(shape.models)
    production = shape.contradicted or rng.random() < 0.5

    def says(member: MemberKey, _rng: Random) -> int:
        return int(production if member == PRODUCTION else member.model == faulty)

    return _where_affected(shape, says)


def _sampling(shape: Shape, rng: Random) -> Callable[[Random], Says]:
    """Let members waver at a high temperature, and hardly at a low one."""
    wavering = rng.choice((0.35, 0.5))

    def says(member: MemberKey, rng: Random) -> int:
        temperature = member.temperature or 0.0
        factor = 0.1 if temperature <= 0.3 else min(1.0, 0.4 + 0.6 * temperature)
        return rng.randint(1, 3) if rng.random() < wavering * factor else RIGHT

    return _where_affected(shape, says)


def _ambiguous(shape: Shape, _rng: Random) -> Callable[[Random], Says]:
    """Let each prompt prefer one of two readings; at a low temperature it nearly always gives it."""

    def of_case(rng: Random) -> Says:
        if rng.random() >= shape.affected:
            return lambda _member, _rng: RIGHT
        preferred: dict[tuple[str, str], int] = {}

        def says(member: MemberKey, rng: Random) -> int:
            reading = preferred.setdefault((member.model, member.variant), rng.randint(0, 1))
            keeps = 0.97 if (member.temperature or 0.0) <= 0.3 else 0.6
            return reading if rng.random() < keeps else 1 - reading

        return says

    return of_case


def _one_side(number: int) -> Plant:
    """Plant answers of a form (`number`) on production's side, the committee's, one variant's, or on both."""

    def make(shape: Shape, rng: Random) -> Callable[[Random], Says]:
        sides = ["production"] if shape.contradicted else ["production", "committee", "both"]
        if len(shape.variants) > 1 and not shape.contradicted:
            sides.append("variant")
        side, variant = rng.choice(sides), rng.choice(shape.variants)

        def says(member: MemberKey, rng: Random) -> int:
            on_production = side in ("production", "both")
            on_member = side in ("committee", "both") or (side == "variant" and member.variant == variant)
            affected = on_production if member == PRODUCTION else on_member
            return number if affected and rng.random() < 0.9 else RIGHT

        return _where_affected(shape, says)

    return make


def _production_says(number: int) -> Plant:
    def make(shape: Shape, _rng: Random) -> Callable[[Random], Says]:
        return _where_affected(shape, lambda member, _rng: number if member == PRODUCTION else RIGHT)

    return make


def _shared_mistake(shape: Shape, _rng: Random) -> Callable[[Random], Says]:
    return _where_affected(shape, lambda _member, _rng: 1)


def _stable(_shape: Shape, _rng: Random) -> Callable[[Random], Says]:
    return lambda _rng: lambda _member, _rng: RIGHT


CAUSES: Mapping[DiagnosisName, Plant] = {
    "refusing": _one_side(REFUSAL),
    "format-broken": _one_side(UNREADABLE),
    "wrong-tool": _production_says(OTHER_TOOL),
    "ambiguous": _ambiguous,
    "split-by-model": _faulty_model,
    "prompt-sensitive": _faulty_variant,
    "sampling-unstable": _sampling,
    "consistently-wrong": _shared_mistake,
    "against-production": _production_says(1),
    "stable": _stable,
}
