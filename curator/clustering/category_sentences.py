"""Names and sentences of categories by templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from curator.clustering.failure_modes import SCATTER
from curator.clustering.task_index import TOPIC
from curator.records.differences import ANY, ASPECTS, OMITS, SAYS, AnswerSide, Aspect, Basis, Difference, Side
from curator.text.display import one_line

KEYWORDS = 6
NAMED_TOPICS = 2
NAMED_WORDS = 3
TASK_LIMIT = 40
"""Characters of a task's name in a sentence."""
_CLAUSES = ("select", "from", "where", "group", "order", "having", "limit", "join")
_USUAL_SIDE = 0.5
_SIDE = 0.1
"""The share of a side from which a value is shown as a group of its own."""

_CHANGES: Mapping[str, str] = {
    "missing": "leaves out {subject}",
    "added": "adds {subject}",
    "fewer": "gives fewer values of {subject}",
    "more": "gives more values of {subject}",
    "scaled": "gives {subject} scaled by a power of ten",
    "sign": "gives {subject} with the other sign",
    "leading zeros": "gives {subject} with other leading zeros",
    "day and month swapped": "swaps day and month in {subject}",
    "another year": "gives {subject} with another year",
    "shortened": "shortens {subject}",
    "longer": "gives {subject} with more than is expected",
}
_OTHER: Mapping[Aspect, str] = {
    "refusal": "refuses, or answers what should be refused",
    "format": "answers in another form",
    "tool": "calls another tool",
    "argument": "calls tools with other arguments",
    "field": "gives other values in records",
    "label": "answers with another label",
    "value": "gives another answer",
    "content": "says something else in free text",
    "complaint": "is called wrong, each case in its own way",
}


_SCATTERED: Mapping[Aspect, str] = {
    "tool": "the committee calls different tools",
    "label": "the committee gives different labels",
    "value": "the committee gives different answers",
}


@dataclass(frozen=True, slots=True)
class CategoryText:
    """The words of a category: its name, its sentence, and the words of its inputs."""

    name: str
    sentence: str
    keywords: tuple[str, ...]


def describe(
    key: str,
    differences: Sequence[Difference],
    basis: Basis,
    profile: Mapping[str, float],
    topics: Sequence[str],
    words: Mapping[str, str],
) -> CategoryText:
    """Describe a failure mode by its key.

    Args:
        key: of the mode.
        differences: those of its cases that have the key.
        basis: the sides that face each other.
        profile: the share of its cases with each telling key.
        topics: the telling words of its inputs, by stem, the most telling first.
        words: the spelling of words, by stem.
    """
    named = [words.get(stem, stem) for stem in topics]
    what = _what(key, differences, profile, words)
    short = _short(key, differences, profile, words)
    sentence = what if key.endswith(f":{SCATTER}") else _sentence(what, differences, basis)
    about = [topic for topic in named if topic not in sentence][:NAMED_TOPICS]
    if about:
        sentence += f", on inputs about {' and '.join(about)}"
        short += f" ({', '.join(about)})"
    return CategoryText(short, sentence[0].upper() + sentence[1:], tuple(named[:KEYWORDS]))


def in_task(text: CategoryText, task: str) -> CategoryText:
    """Say in which task a failure is that other tasks may have too."""
    shown = one_line(task, TASK_LIMIT)
    return CategoryText(f"{text.name}, in {shown}", f"{text.sentence}, in the task {shown}", text.keywords)


def describe_group(task: str, aspect: Aspect | None, subject: str, basis: Basis) -> CategoryText:
    """Describe categories that are joined at their common task, aspect and subject."""
    if aspect is None:
        what = "fails in several ways, each of them rare"
        return CategoryText(f"rare failures of {task}" if task else what, what[0].upper() + what[1:], ())
    named = subject and subject not in ("wording", ANY, SCATTER)
    what = f"gives other values of {subject}" if named and aspect != "content" else f"{_OTHER[aspect]}, in several ways"
    if basis == "committee":
        what = f"the committee is split: a part of it {what}"
    return CategoryText(what, what[0].upper() + what[1:], ())


def describe_topic(name: str, sentence: str, topic: str) -> CategoryText:
    """Describe the part of a category whose inputs have one word."""
    return CategoryText(
        f"{name.partition(' (')[0]} ({topic})",
        f"{sentence.partition(', on inputs about')[0]}, on inputs about {topic}",
        (topic,),
    )


def sides_of(pairs: Iterable[tuple[Basis, Difference]]) -> tuple[AnswerSide, ...]:
    """Return the largest groups of answers on each side, from one difference of each case.

    A thumb down has one side only: no other answer is right for it.
    """
    given: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    bases: Counter[Basis] = Counter()
    for basis, difference in pairs:
        given[_value(difference, difference.given)] += 1
        if difference.aspect != "complaint":
            expected[_value(difference, difference.expected)] += 1
        bases[basis] += 1
    if not given:
        return ()
    basis = bases.most_common(1)[0][0]
    first: Side = "committee" if basis == "committee" else "production"
    second: Side = "label" if basis == "label" else "committee"
    return (*_sides(given, first, 2), *(_sides(expected, second, 1) if expected else ()))


def _sides(counts: Counter[str], by: Side, most: int) -> list[AnswerSide]:
    """Return the largest groups of a side; without any, all as one, with an example."""
    total = counts.total()
    usual = [AnswerSide(text, by, count / total) for text, count in _most(counts, most) if count >= _SIDE * total]
    return usual or [AnswerSide(f"such as {_most(counts, 1)[0][0]}", by, 1.0)]


def _most(counts: Counter[str], n: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n]


def _value(difference: Difference, text: str) -> str:
    """Return the text of a side of a difference."""
    if difference.aspect == "tool":
        return f"calls {text}" if text else "calls no other tool"
    if text:
        return f"{difference.subject}: {text}" if difference.subject and difference.aspect != "value" else text
    return (
        f"{difference.subject or difference.aspect}: none"
        if difference.change in ("missing", "added")
        else "another value"
    )


def _sentence(what: str, differences: Sequence[Difference], basis: Basis) -> str:
    if basis != "committee":
        return what
    if differences and len({(d.given, d.expected) for d in differences}) == 1 and differences[0].given:
        first = differences[0]
        if first.aspect == "refusal":
            return "the committee is split: a part of it refuses, and a part answers"
        subject = f" in {first.subject}" if first.aspect in ("field", "argument") else ""
        return f"the committee is split between {first.given} and {first.expected or 'nothing'}{subject}"
    return f"the committee is split: a part of it {what}"


def _what(key: str, differences: Sequence[Difference], profile: Mapping[str, float], words: Mapping[str, str]) -> str:
    """Return what one side does, as a verb phrase."""
    if key.startswith((SAYS, OMITS, TOPIC)) or (key.startswith("content:") and not differences):
        return _wording(profile, words)
    if key.endswith(f":{SCATTER}"):
        return _SCATTERED[aspect_of(key)]
    if key.endswith(f":{ANY}") or not differences:
        return _OTHER[aspect_of(key)]
    return _PHRASES[differences[0].aspect](key, differences)


def _short(key: str, differences: Sequence[Difference], profile: Mapping[str, float], words: Mapping[str, str]) -> str:
    """Return the name: two sides, or the phrase without its verb."""
    first = differences[0] if differences else None
    if (
        first
        and key.endswith(f":{first.given}>{first.expected}")
        and first.aspect in ("tool", "label", "field", "argument")
    ):
        subject = f"{first.subject}: " if first.subject else ""
        return f"{subject}{first.given or 'no call'} instead of {first.expected or 'no call'}"
    if key.startswith((SAYS, OMITS, TOPIC)):
        alone = _telling(profile, SAYS, words) or _telling(profile, OMITS, words)
        return " / ".join(alone) or "other content"
    return _what(key, differences, profile, words)


def _wording(profile: Mapping[str, float], words: Mapping[str, str]) -> str:
    alone, omitted = _telling(profile, SAYS, words), _telling(profile, OMITS, words)
    if alone and omitted:
        return f"says {_quoted(alone)} where {_quoted(omitted)} is expected"
    if alone:
        return f"says {_quoted(alone)}, which the others do not"
    return f"leaves out {_quoted(omitted)}" if omitted else "says something else"


def _telling(profile: Mapping[str, float], beginning: str, words: Mapping[str, str]) -> list[str]:
    ranked = sorted((item for item in profile.items() if item[0].startswith(beginning)), key=lambda i: (-i[1], i[0]))
    return [words.get(stem, stem) for key, _ in ranked[:NAMED_WORDS] if (stem := key.removeprefix(beginning))]


def _quoted(words: Sequence[str]) -> str:
    return f"\u201c{', '.join(words)}\u201d"


def _of_field(key: str, differences: Sequence[Difference]) -> str:
    return _of_named_value(differences[0].subject, key, differences)


def _of_argument(key: str, differences: Sequence[Difference]) -> str:
    tool, _, name = differences[0].subject.partition(".")
    return f"{_of_named_value(name, key, differences)}, in the call of {tool}"


def _of_named_value(name: str, key: str, differences: Sequence[Difference]) -> str:
    """Return the phrase on a value that has a name."""
    detail = key.partition(":")[2].partition(":")[2]
    if detail in _CHANGES:
        return _CHANGES[detail].format(subject=name)
    given, _, expected = detail.partition(">")
    given = given or ("" if detail else _dominant([d.given for d in differences]))
    if not given or any(map(str.isdigit, given)):
        return f"gives another {name}{f' where {expected} is expected' if expected else ''}"
    where = f" where {expected or 'another value'} is expected" if detail else ""
    return f"gives {name} as {given}{where}"


def _of_tool(_: str, differences: Sequence[Difference]) -> str:
    first = differences[0]
    if first.given and first.expected:
        return f"calls {first.given} where {first.expected} is expected"
    if first.given:
        return f"calls {first.given} where no such call is expected"
    return f"does not call {first.expected} where it is expected"


def _of_value(key: str, differences: Sequence[Difference]) -> str:
    place, _, subject = differences[0].subject.rpartition(".")
    detail = key.partition(":")[2].partition(":")[2]
    if detail in _CHANGES and subject in ("number", "date"):
        return _CHANGES[detail].format(subject=f"the {subject}")
    given, _, expected = detail.partition(">")
    if subject == "answer" and given:
        return f"answers {given} where {expected or 'another answer'} is expected"
    if subject == "answer" and expected:
        return f"does not answer {expected} where it is expected"
    clause = f"{subject.upper()} clause{' in a subquery' if place else ''}" if subject in _CLAUSES else subject
    return f"gives another {clause}"


def _of_content(_: str, differences: Sequence[Difference]) -> str:
    first = differences[0]
    if first.subject == "language":
        same = len({d.expected for d in differences}) == 1
        return f"answers in {first.given} where {first.expected if same else 'another language'} is expected"
    if first.subject == "yes or no":
        return f"says {first.given} where {first.expected} is expected"
    added = all(d.change == "added" for d in differences)
    if first.subject == "date":
        return "gives a date where none is expected" if added else "gives another date"
    unit = f"{first.subject}s" if first.subject.isalpha() and first.subject.isascii() else first.subject
    given, expected = (_dominant(side) for side in zip(*((d.given, d.expected) for d in differences), strict=True))
    if given and expected:
        return f"gives {given} {unit} where {expected} is expected"
    return f"gives a number of {unit} where none is expected" if added else f"gives another number of {unit}"


def _dominant(values: Sequence[str]) -> str:
    """Return the value that most of the cases have; "" without one."""
    value, count = Counter(values).most_common(1)[0]
    return value if count > _USUAL_SIDE * len(values) else ""


def _of_refusal(_: str, differences: Sequence[Difference]) -> str:
    return (
        "refuses where an answer is expected"
        if differences[0].given == "refuses"
        else "answers where a refusal is expected"
    )


_PHRASES: Mapping[Aspect, Callable[[str, Sequence[Difference]], str]] = {
    "refusal": _of_refusal,
    "format": lambda _, d: f"gives {d[0].given} where {d[0].expected} is expected",
    "tool": _of_tool,
    "argument": _of_argument,
    "field": _of_field,
    "label": lambda _, d: f"answers {d[0].given} where {d[0].expected} is expected",
    "value": _of_value,
    "content": _of_content,
    "complaint": lambda _, d: (
        "is wrong by labels, each case in its own way"
        if d[0].given == "failed by label"
        else "gets thumbs down, each case in its own way"
    ),
}


def aspect_of(key: str) -> Aspect:
    """Return the aspect that a mode is about; words are of the content."""
    return next((aspect for aspect in ASPECTS if aspect == key.partition(":")[0]), "content")
