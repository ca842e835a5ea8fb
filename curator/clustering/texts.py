"""The text of a case that is embedded, and that its category is named after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from curator.records import Case, Message, normalise_space

_EARLIER_TURNS = 4
_EARLIER_CHARACTERS = 80
_LAST_CHARACTERS = 1200
_TEMPLATE_CASES = 5
_TEMPLATE_SHARE = 0.02


def embedding_texts(cases: Sequence[Case]) -> list[str]:
    """The embedded text of each case: up to four earlier turns, then its last user turn.

    Earlier turns are cut to 80 characters. A long last turn keeps its beginning and its end, as small models read about 250
    words and the question is often at the end. System prompts are left out: many cases share them, which would make these
    similar. Earlier turns that at least five cases and 2% of all share word for word are left out for the same reason:
    they are examples that the application puts before its question.
    """
    split = [_turns(case) for case in cases]
    shared = Counter(turn for earlier, _ in split for turn in set(earlier))
    template = {turn for turn, n in shared.items() if n >= max(_TEMPLATE_CASES, _TEMPLATE_SHARE * len(cases))}
    return [_text((turn for turn in earlier if turn not in template), last) for earlier, last in split]


def _turns(case: Case) -> tuple[list[str], list[str]]:
    """The turns before the last user turn, and that turn; the last of all without a user turn."""
    turns = [m for m in case.messages if m.role != "system"]
    last = max((i for i, m in enumerate(turns) if m.role == "user"), default=len(turns) - 1)
    return [_spoken(m) for m in turns[: max(last, 0)]], [_spoken(m) for m in turns[last : last + 1]]


def _text(earlier: Iterable[str], last: Iterable[str]) -> str:
    before = [_shortened(turn, _EARLIER_CHARACTERS) for turn in list(earlier)[-_EARLIER_TURNS:]]
    return "\n".join(text for text in [*before, *(_shortened(turn, _LAST_CHARACTERS) for turn in last)] if text)


def _spoken(message: Message) -> str:
    calls = (f"{call.name} {call.arguments}" for call in message.tool_calls)
    return normalise_space(" ".join([message.content, *calls]))


def _shortened(text: str, most: int) -> str:
    """The text without its middle where it has more than `most` characters."""
    if len(text) <= most:
        return text
    head = text[: most // 2].rsplit(" ", 1)[0]
    tail = text[-(most // 2) :].split(" ", 1)[-1]
    return f"{head} … {tail}"
