"""Made-up recorded cases for the benchmarks, by kind, as records of contract 4.

Ten answers of about 25 words say nearly the same in other words, no two cases share a sentence by more than chance, and
three quarters of the answers agree. Nothing here is run by itself: see `scoring.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping

import orjson

from curator.records import JsonValue, Kind

SEED = 0
AGREE = 0.75
"""The chance with which an answer is the usual one of its case."""
Record = dict[str, JsonValue]
_Answers = Callable[[random.Random, int], tuple[str, list[str]]]

_WHO = (
    "the customer|our billing team|the second invoice|a delayed parcel|this account|the new policy|Maria Lopez|the driver|"
    "the warehouse in Leipzig|your subscription|the latest update|that refund|the contract from 2021|every user|the report"
)
_DOES = (
    "is waiting for|was charged twice for|cannot open|has to confirm|should not depend on|will replace|did not receive|"
    "asked about|refers to|could be affected by|needs|has already cancelled|compares well with|is older than|explains"
)
_WHAT = (
    "the original order|a password reset|two separate payments|an updated address|the annual plan|its delivery note|"
    "the missing charger|three open tickets|the terms of service|a larger size|the bank transfer|one more signature"
)
_HOW = (
    "since last Monday|because the card had expired|before the end of the month|without any further notice|after 14 days|"
    "as described in section 4.2|, which is unusual|even though nobody complained|in most cases|for about 30 euros|"
    "; please check again|when the app is closed"
)
_TEAMS = ("billing", "shipping", "technical support", "account access", "returns", "other")
_TOOLS = ("search_orders", "get_weather", "create_ticket", "send_email")


def recordings(kind: Kind, count: int, *, answers: int = 10, words: int = 25, seed: int = SEED) -> Iterator[Record]:
    """Records of one kind with a target and with the kind itself, `count` of them."""
    for number in range(count):
        drawn = random.Random(f"{seed} {kind} {number}")
        asked, texts = _KINDS[kind](drawn, words)
        texts_given = [
            texts[_usual_or_other(drawn, len(texts))].format(prose(drawn, words)) for _ in range(answers + 1)
        ]
        yield {
            "id": f"{kind}-{number}",
            "input": asked,
            "kind": kind,
            "target": texts_given[0],
            "generations": [
                {"text": text, "model": f"model-{place % 3}", "variant": "plain" if place % 2 else "careful"}
                for place, text in enumerate(texts_given[1:])
            ],
        }


def mixed(count: int, **options: int) -> Iterator[bytes]:
    """Yield JSON lines of all kinds in turn; each second lacks `kind`, each third `target`."""
    sources = [recordings(kind, count // len(_KINDS) + 1, **options) for kind in _KINDS]
    for number in range(count):
        round_, place = divmod(number, len(sources))
        yield as_line(next(sources[place]), with_kind=round_ % 2 == 0, with_target=round_ % 3 != 0)


def as_line(record: Mapping[str, JsonValue], *, with_kind: bool, with_target: bool) -> bytes:
    """A record as a line, with or without what may be missing."""
    missing = {name for name, there in (("kind", with_kind), ("target", with_target)) if not there}
    kept = {name: value for name, value in record.items() if name not in missing}
    return orjson.dumps(kept, option=orjson.OPT_APPEND_NEWLINE)


def kinds() -> tuple[Kind, ...]:
    """The kinds of which there are recordings."""
    return tuple(_KINDS)


def prose(drawn: random.Random, words: int) -> str:
    """Return made-up English sentences with so many words in all."""
    sentences: list[str] = []
    while sum(sentence.count(" ") + 1 for sentence in sentences) < words:
        parts = [drawn.choice(part.split("|")) for part in (_WHO, _DOES, _WHAT, _HOW)]
        sentence = " ".join(parts).replace(" ,", ",").replace(" ;", ";")
        sentences.append(sentence[0].upper() + sentence[1:] + ".")
    return " ".join(" ".join(sentences).split()[:words])


def _usual_or_other(drawn: random.Random, wordings: int) -> int:
    return 0 if drawn.random() < AGREE else drawn.randrange(wordings)


# Each gives what is asked, and the answers to draw from, the usual one first; `{}` is where prose goes.


def _text(drawn: random.Random, words: int) -> tuple[str, list[str]]:
    return f"Summarise the ticket: {prose(drawn, 2 * words)}", ["{}", "In short: {}", "{}\n\nLet me know."]


def _number(drawn: random.Random, words: int) -> tuple[str, list[str]]:
    value = drawn.randint(2, 5000)
    ends = [f"So the answer is {value}.", f"The answer is {value + 1}.", f"#### {value}", f"That makes 7 * 6 = {value}"]
    return f"{prose(drawn, words)} How many parcels are left?", [f"{{}} {end}" for end in ends]


def _choice(drawn: random.Random, words: int) -> tuple[str, list[str]]:
    options = "\n".join(f"({letter}) {prose(drawn, 4)}" for letter in "ABCD")
    letters = drawn.sample("ABCD", 2)
    ends = [f"{{}} So the answer is ({letters[0]}).", f"{{}} So the answer is ({letters[1]}).", f"({letters[0]})"]
    return f"{prose(drawn, words)} What follows?\nOptions:\n{options}", ends


def _boolean(drawn: random.Random, words: int) -> tuple[str, list[str]]:
    usual, other = drawn.sample(("yes", "no"), 2)
    ends = [f"{{}} So the answer is {usual}.", f"{{}} So the answer is {other}.", f"{usual.title()}, {{}}"]
    return f"{prose(drawn, words)} Does this follow? Answer yes or no.", ends


def _json(drawn: random.Random, words: int) -> tuple[str, list[str]]:
    usual, other = drawn.sample(_TEAMS, 2)
    fields = [f'"team": "{team}", "priority": {drawn.randint(1, 3)}, "tags": ["b", "a"]' for team in (usual, other)]
    plain = [f'{{{{{field}, "reason": "{{}}"}}}}' for field in fields]
    return f"Return JSON with team, priority, reason: {prose(drawn, words)}", [*plain, f"```json\n{plain[0]}\n```"]


def _label(drawn: random.Random, words: int) -> tuple[str, list[str]]:
    usual, other = drawn.sample(_TEAMS, 2)
    return f"{prose(drawn, words)}\nWhich team?", [usual, other, usual.title(), f"The team is {usual}."]


def _short(drawn: random.Random, words: int) -> tuple[str, list[str]]:
    names = [f"{drawn.choice(_WHAT.split('|'))} {drawn.randint(1, 99)}" for _ in range(8)]
    asked = f"{prose(drawn, words)} What does the customer lack?"
    return asked, [names[0], f"The customer lacks {names[0]}.", *names[1:], "It is not texts_given."]


def _tool_call(drawn: random.Random, words: int) -> tuple[str, list[str]]:
    usual, other = drawn.sample(_TOOLS, 2)
    shapes = [
        f'{{{{"name": "{tool}", "arguments": {{{{"query": "{{}}", "limit": {drawn.randint(1, 50)}}}}}}}}}'
        for tool in (usual, other)
    ]
    return f"Use the tools. {prose(drawn, words)}", [*shapes, f"<tool_call>{shapes[0]}</tool_call>", "{}"]


_KINDS: Mapping[Kind, _Answers] = {
    "text": _text,
    "number": _number,
    "choice": _choice,
    "boolean": _boolean,
    "json": _json,
    "label": _label,
    "short": _short,
    "tool_call": _tool_call,
}
