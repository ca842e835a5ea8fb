"""Committees that wrap known answers in invented shapes, to test induced readings.

A shape is drawn from a seed: a kind of answer, members with an accuracy each, and a wrapper a member. Nothing here is known to `curator.answers`.
"""

# ruff: noqa: SIM905, RUF001
from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.answers.invented_answers import KINDS

CASES = 60
Wrap = Callable[[str, random.Random], str]

_SYLLABLES = "ba ko ri zel mu tan vo pli shu dra ne qui fo gar wex lim".split()
_PHRASES = (
    "My verdict would be",
    "Hence I settle on",
    "In short:",
    "Mein Urteil lautet:",
    "Daher wähle ich",
    "Je retiens donc",
    "Ma conclusion finale :",
    "Por lo tanto elijo",
    "Mi veredicto:",
    "因此结论为",
    "最后选定：",
    "結論として：",
    "Итоговое решение:",
    "Таким образом,",
    "Final pick ->",
    "RESULT ==>",
    "The verdict stands at",
    "What remains is",
    "Conclusie:",
    "Verdetto =",
)
_CLOSERS = (
    "",
    "",
    "",
    ".",
    "!",
    " as my final word.",
    ", and that settles it.",
    " -- done.",
    " 。以上です。",
    ". Das ist alles.",
    ". Voilà.",
)
_POLITE = (
    "Hope this helps!",
    "Let me know if you need anything else.",
    "Gern geschehen.",
    "¡Que tengas un buen día!",
    "以上、ご確認ください。",
    "Bonne journée à vous.",
    "Have a nice day.",
    "Обращайтесь, если что.",
)
_SUBJECTS = (
    "the report",
    "this figure",
    "the second clause",
    "our reading of the text",
    "der Abschnitt",
    "la segunda parte",
    "le passage",
    "the customer",
    "that table",
    "an earlier step",
    "the rule above",
    "every listed item",
)
_VERBS = (
    "suggests",
    "does not settle",
    "points to",
    "rules out",
    "depends on",
    "widerspricht",
    "confirma",
    "précise",
    "narrows down",
    "was checked against",
    "should be weighed with",
)
_OBJECTS = (
    "the remaining options",
    "a simpler view",
    "what was asked",
    "the given numbers",
    "den Rest",
    "otros datos",
    "la question",
    "several details",
    "one known exception",
    "the usual case",
    "the first assumption",
)
_JOINTS = ("since", "because", "weil", "porque", "car", "given that", "denn")
_NAMES = "verdict outcome pick resultado urteil choix decision final_value chosen out respuesta_final valor 结论 ответ".split()
_NOTES = "thoughts steps notes rationale why analysis begründung pasos motif work scratch 理由".split()
_TAGS = "verdict out pick final_choice res urteil fin box".split()
_BLOCKS = "think ponder scratch inner-monologue workings deliberate".split()


@dataclass(frozen=True)
class Case:
    """A case: the answers that its members gave, as known and as wrapped, and the right one.

    The first answer is the target's.
    """

    known: tuple[str, ...]
    wrapped: tuple[str, ...]
    right: str


@dataclass(frozen=True)
class Shape:
    """A task in an invented shape: what it is like in words, and its cases."""

    description: str
    cases: tuple[Case, ...]


def shape(seed: int, *, cases: int = CASES) -> Shape:
    """Draw a shape and its cases from a seed."""
    draw = random.Random(f"shape {seed}")
    kind = draw.choice(sorted(KINDS))
    members = draw.randint(3, 6)
    style = draw.choice(("one wrapper", "one wrapper", "a wrapper each", "verbose and bare"))
    names = [draw.choice(sorted(WRAPPERS)) for _ in range(members)]
    if style == "one wrapper":
        names = names[:1]
        wraps = [WRAPPERS[names[0]](draw)] * members
    elif style == "verbose and bare":
        names = ["bare" if place % 2 else name for place, name in enumerate(names)]
        wraps = [WRAPPERS[name](draw) for name in names]
    else:
        wraps = [WRAPPERS[name](draw) for name in names]
    wraps = (
        [_thinking(wrap, draw) if draw.random() < 0.15 else wrap for wrap in wraps] if draw.random() < 0.5 else wraps
    )
    accuracy = [draw.uniform(0.55, 0.9) for _ in range(members)]
    answered = tuple(_case(kind, wraps, accuracy, random.Random(f"case {seed} {number}")) for number in range(cases))
    return Shape(f"{kind}; {style}: {', '.join(names)}", answered)


def _case(kind: str, wraps: Sequence[Wrap], accuracy: Sequence[float], draw: random.Random) -> Case:
    """Draw the answers to a case; in hard cases more are wrong."""
    alternatives = KINDS[kind](draw)
    hard = draw.choice((0.0, 0.0, 0.3, 0.5))
    target = draw.randrange(len(wraps))
    answers, wrapped = [], []
    for place in (target, *range(len(wraps))):
        wrong = draw.choices(alternatives[1:], [2.0, 1.0, 0.5][: len(alternatives) - 1])[0]
        answers.append(alternatives[0] if draw.random() < accuracy[place] - hard else wrong)
        wrapped.append(wraps[place](answers[-1], draw))
    return Case(tuple(answers), tuple(wrapped), alternatives[0])


def _sentence(draw: random.Random) -> str:
    sentence = f"{draw.choice(_SUBJECTS)} {draw.choice(_VERBS)} {draw.choice(_OBJECTS)}"
    if draw.random() < 0.4:
        sentence += f" {draw.choice(_JOINTS)} {draw.choice(_SUBJECTS)} {draw.choice(_VERBS)} {draw.randint(2, 60)} of {draw.choice(_OBJECTS)}"
    return sentence[0].upper() + sentence[1:] + "."


def _prose(draw: random.Random, least: int = 2, most: int = 7) -> str:
    joint = draw.choice((" ", " ", "\n"))
    return joint.join(_sentence(draw) for _ in range(draw.randint(least, most)))


def _word(draw: random.Random) -> str:
    return "".join(draw.choices(_SYLLABLES, k=draw.randint(2, 3)))


def _phrase(draw: random.Random) -> str:
    """Draw a marker: a phrase of a language, or invented words with signs."""
    if draw.random() < 0.6:
        return draw.choice(_PHRASES)
    word = draw.choice((str.upper, str.title, str.lower))(_word(draw))
    return draw.choice(
        ("{}:", "## {}:", "[{}]", "{} =>", "~~{}~~", "@@{}@@", "§ {} §", ">>> {}:", "{} ::", "*{}*:")
    ).format(word)


def _bare(_draw: random.Random) -> Wrap:
    return lambda answer, _: answer


def _marked(draw: random.Random) -> Wrap:
    phrase, closer = _phrase(draw), draw.choice(_CLOSERS)
    return lambda answer, _: f"{phrase} {answer}{closer}"


def _reasoned(draw: random.Random) -> Wrap:
    phrase, closer, joint = _phrase(draw), draw.choice(_CLOSERS), draw.choice(("\n", "\n\n", " "))
    return lambda answer, each: f"{_prose(each)}{joint}{phrase} {answer}{closer}"


def _reasoned_politely(draw: random.Random) -> Wrap:
    reasoned, polite = _reasoned(draw), draw.sample(_POLITE, draw.choice((1, 3)))
    return lambda answer, each: f"{reasoned(answer, each)}{chr(10) * 2}{each.choice(polite)}"


def _explained(draw: random.Random) -> Wrap:
    """A marked answer on the first line, or at the start, and then an explanation."""
    phrase = draw.choice((_phrase(draw) + " ", ""))
    joint = draw.choice(("\n", "\n\n", f"\n{_phrase(draw)} "))
    return lambda answer, each: f"{phrase}{answer}{joint}{_prose(each)}"


def _joined(draw: random.Random) -> Wrap:
    phrase, joint = _phrase(draw), draw.choice(_JOINTS)
    return lambda answer, each: f"{phrase} {answer} {joint} {_sentence(each)}"


def _tagged(draw: random.Random) -> Wrap:
    tag, before, after = draw.choice(_TAGS), draw.random() < 0.6, draw.random() < 0.3
    opening, closing = draw.choice((("<{}>", "</{}>"), ("[{}]", "[/{}]"), ("<|{}|>", "<|/{}|>"), ("{{{}}}", "{{/{}}}")))
    joint = draw.choice(("", "\n"))

    def wrap(answer: str, each: random.Random) -> str:
        inside = f"{opening.format(tag)}{joint}{answer}{joint}{closing.format(tag)}"
        return f"{_prose(each) + chr(10) if before else ''}{inside}{' ' + _prose(each) if after else ''}"

    return wrap


def _boxed(draw: random.Random) -> Wrap:
    name = _word(draw)
    opening, closing = draw.choice(
        ((f"\\{name}{{", "}"), ("**", "**"), ("«", "»"), ("【", "】"), ("$$", "$$"), (f"{name}(", ")"), ("⟦", "⟧"))
    )
    lead, end = draw.choice(("", "", "So we get ", "我们得到 ")), draw.choice(("", "."))
    return lambda answer, each: f"{_prose(each)}\n{lead}{opening}{answer}{closing}{end}"


def _json(draw: random.Random) -> Wrap:
    answer_name, first = draw.choice(_NAMES), draw.random() < 0.3
    notes = draw.sample(_NOTES, draw.choice((0, 1, 1, 2)))
    certain, nested = draw.random() < 0.25, draw.random() < 0.15
    around = draw.choice(("{}", "{}", "```json\n{}\n```", "Here you go:\n{}", "{}\n\nDone.", "```\n{}\n```"))
    broken = draw.choice(("", "", "", "comma", "case"))
    indent = draw.choice((None, None, 2))

    def wrap(answer: str, each: random.Random) -> str:
        inner: dict[str, object] = {note: _prose(each, 1, 4) for note in notes}
        inner = {answer_name: answer, **inner} if first else {**inner, answer_name: answer}
        if certain:
            inner["certainty"] = round(each.uniform(0.5, 1), 2)
        text = json.dumps({"data": inner} if nested else inner, ensure_ascii=False, indent=indent)
        if broken == "comma":
            text = text[:-1].rstrip() + ",}"
        elif broken == "case" and each.random() < 0.5:
            text = text.replace(f'"{answer_name}"', f'"{answer_name.title()}"')
        return around.replace("{}", text)

    return wrap


def _fenced(draw: random.Random) -> Wrap:
    language, before, after = draw.choice(("", "text", "sql", "out")), draw.random() < 0.7, draw.random() < 0.3
    return lambda answer, each: (
        f"{_prose(each) + chr(10) if before else ''}```{language}\n{answer}\n```{chr(10) + _prose(each) if after else ''}"
    )


def _thinking(wrap: Wrap, draw: random.Random) -> Wrap:
    """Put a block of thinking before what another wrapper gives."""
    block = draw.choice(_BLOCKS)
    return lambda answer, each: f"<{block}>\n{_prose(each, 4, 12)}\n</{block}>\n{wrap(answer, each)}"


WRAPPERS: dict[str, Callable[[random.Random], Wrap]] = {
    maker.__name__.strip("_"): maker
    for maker in (
        _bare,
        _marked,
        _reasoned,
        _reasoned_politely,
        _explained,
        _joined,
        _tagged,
        _boxed,
        _json,
        _fenced,
    )
}
"""Makers of wrappers by name."""
