"""Stated confidence of answers: `Confidence: 85%`, `"confidence": 0.9`, "I am 70% sure".

It is a statement beside the answer, never the answer: a text or an object that holds nothing else is read as an answer.
"""

from __future__ import annotations

import re

from curator.records import JsonValue

_NOUNS = (
    "confidence|certainty|konfidenz|gewissheit|zuversicht|confiance|certitude|confianza|certeza|certezza|confidenza|fiducia"
    "|confiança|vertrouwen|zekerheid|уверенность|pewność|güven|置信度|信心|把握|确信度|信頼度|確信度|自信度|신뢰도|확신도"
)
_NOUN = re.compile(_NOUNS, re.IGNORECASE)
_STEMS = (
    "onfid", "onfian", "ertaint", "ertit", "ertez", "gewissh", "zuvers", "fiducia", "vertrouw", "zekerh", "\u0443\u0432\u0435\u0440",
    "pewno", "g\u00fcven", "\u7f6e\u4fe1", "\u4fe1\u5fc3", "\u628a\u63e1", "\u786e\u4fe1", "\u983c\u5ea6", "\u78ba\u4fe1", "\u81ea\u4fe1",
    "\uc2e0\ub8b0", "\ud655\uc2e0",
)  # fmt: skip
"""Parts of all the nouns, to look for before a pattern is tried: that takes a tenth of the time."""
_SURE_STEMS = (
    "sure", "certain", "confiden", "sicher", "gewiss", "s\u00fbr", "segur", "certeza", "sicur", "zeker", "\u0443\u0432\u0435\u0440",
    "\u628a\u63e1", "\u4fe1\u5fc3",
)  # fmt: skip
_FIELD_WORDS = frozenset(
    {
        "level",
        "score",
        "rating",
        "value",
        "estimate",
        "percent",
        "percentage",
        "pct",
        "overall",
        "answer",
        "my",
        "self",
        "in",
    }
)
"""Words that the name of the field may have beside the noun; `confidence_interval` is another matter."""
_OTHER_NAMES = frozenset({"probability correct", "p correct", "p true", "probability of being correct"})
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LEVELS: tuple[tuple[float, str], ...] = (
    (0.9, "very high|extremely high|sehr hoch|très (?:élevée?|haute)|muy alt[ao]|molto alt[ao]|muito alt[ao]|zeer hoog|очень высокая|很高|非常高|非常に高い|とても高い"),
    (0.1, "very low|extremely low|sehr (?:niedrig|gering)|très (?:faible|basse)|muy baj[ao]|molto bass[ao]|muito baix[ao]|zeer laag|очень низкая|很低|非常低|非常に低い"),
    (0.7, "high|hoch|élevée?|haute|alt[ao]|hoog|высокая|高い?|높음"),
    (0.5, "medium|moderate|mittel|moyenne|modérée?|medi[ao]|médi[ao]|moderad[ao]|gemiddeld|средняя|中等?|보통"),
    (0.3, "low|niedrig|gering|faible|basse|baj[ao]|bass[ao]|baix[ao]|laag|низкая|低い?|낮음"),
)  # fmt: skip
"""Levels in words: the middles of five equal parts of 0..1."""
_NUMBER = r"\d{1,3}(?:[.,]\d+)?"
_VALUE = (
    rf"(?:(?P<low>{_NUMBER})\s?%?\s?(?:-|\u2013|to|bis)\s?)?(?P<number>{_NUMBER})\s?(?:(?P<percent>[%\uff05])|(?:/|out of)\s?(?P<of>{_NUMBER}))?"
    rf"|(?P<level>{'|'.join(pattern for _, pattern in _LEVELS)})"
)
_MARKER = re.compile(
    rf"^[\s>*_#\-•\[({{\"'【]*(?:my |overall |the |meine |ma |mi )?(?:{_NOUNS})"
    r"(?: (?:level|score|rating|estimate|in (?:my|this|the) answer))?[*_\"'】]*\s*"
    rf"(?:\((?P<scale>[^()\n]{{1,40}})\))?[*_\"']*\s*(?:[:\uff1a]|=(?!=)|\bis\b|\best\b|\bist\b|\bes\b)[\s*_\"'`]*"
    rf"(?:about |approximately |around |~|≈|etwa |ca\. |environ )?(?:{_VALUE})(?![\w.,]*\w)[^\w\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
"""A line of its own."""
_SURE = re.compile(
    rf"\b(?:I(?:'m|\u2019m| am)|we are|ich bin(?: mir)?(?: zu)?|je suis(?: sûre? à)?|estoy|sono|tenho|ik ben|я)\b[^.\n%]{{0,20}}?"
    rf"(?P<number>{_NUMBER})\s?(?P<percent>%)(?:\s(?:de|di))?(?:\s?(?:sure|certain|confident|sicher|gewiss|sûre?|segur[ao]|certeza|sicur[ao]|zeker|уверена?)\b)"
    rf"|\bje suis (?:sûre?|certaine?) à (?P<number_fr>{_NUMBER})\s?%"
    rf"|(?:我有|有)(?P<number_zh>{_NUMBER})\s?[%\uff05]的?(?:把握|信心)"
    rf"|\bwith (?:about |approximately )?(?P<number_with>{_NUMBER})\s?% (?:confidence|certainty)\b(?! (?:interval|level|limit|bound|band|region|set))",
    re.IGNORECASE,
)  # fmt: skip
"""A statement inside a sentence: a percentage, and that the writer is sure."""
_TOP_OF_SCALE = re.compile(rf"({_NUMBER})\D*$")
_LEAST_PERCENT = 10.0
"""A number without its scale is a percentage from here on: "8" may be of 10 or of 100."""


def stated_confidence(text: str, value: JsonValue = None) -> float | None:
    """Return the confidence, 0..1, that an answer states of itself; None where it states none.

    Percentages and fractions count as such, words (`high`) as the middle of their part of the scale. A number counts only if
    its scale is clear: 0 to 1, above 10, or named. Of several statements the last one counts.

    Args:
        text: the whole answer.
        value: the JSON value in it, if it has one; a field of its object comes before the text.
    """
    if isinstance(value, dict) and (of_field := _of_object(value)) is not None:
        return of_field
    statements = [*_markers(text), *(_SURE.finditer(text) if _may_be_sure(text.lower()) else ())]
    if not statements:
        return None
    values = [_value(match) for match in sorted(statements, key=lambda match: match.start())]
    stated = [number for number in values if number is not None]
    return stated[-1] if stated else None


def without_confidence(text: str) -> str:
    """Return a text without the lines that only state a confidence.

    It is the whole text if nothing else is there.
    """
    rest = text
    for match in reversed(_markers(text)):
        if _value(match) is not None:
            rest = rest[: match.start()].rstrip("\n") + rest[match.end() :]
    return text if rest == text else rest.strip() or text


def _markers(text: str) -> list[re.Match[str]]:
    """Return the lines that state a confidence, if there is more in the text than them."""
    lowered = text.lower()
    if not any(stem in lowered for stem in _STEMS):
        return []
    matches = list(_MARKER.finditer(text))
    return matches if _MARKER.sub("", text).strip() else []


def may_state_confidence(text: str) -> bool:
    """Return True unless no word of the text is about confidence; this takes little time."""
    lowered = text.lower()
    return (
        any(stem in lowered for stem in _STEMS)
        or _may_be_sure(lowered)
        or ("{" in text and ("correct" in lowered or "true" in lowered))
    )


def _may_be_sure(lowered: str) -> bool:
    """Return True if a text in lower case has a percentage and a word for being sure."""
    return ("%" in lowered or "\uff05" in lowered) and any(stem in lowered for stem in _SURE_STEMS)


def _of_object(fields: dict[str, JsonValue]) -> float | None:
    """Return the confidence in a field of an object that has other fields as well."""
    named = [name for name in fields if _is_name(name)]
    if not named or len(named) == len(fields):
        return None
    return next((number for name in named if (number := _of_field(fields[name])) is not None), None)


def _is_name(name: str) -> bool:
    words = _CAMEL.sub(" ", name).replace("_", " ").replace("-", " ").lower().split()
    others = [word for word in words if not _NOUN.fullmatch(word)]
    return (len(others) == len(words) - 1 and _FIELD_WORDS.issuperset(others)) or " ".join(words) in _OTHER_NAMES


def _of_field(value: JsonValue) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _on_scale(float(value))
    match = re.fullmatch(rf"\s*(?:{_VALUE})\s*", value, re.IGNORECASE) if isinstance(value, str) else None
    return _value(match) if match else None


def _value(match: re.Match[str]) -> float | None:
    """Return the value of a match of `_MARKER`, `_SURE` or `_VALUE` alone."""
    groups = match.groupdict()
    if level := groups.get("level"):
        return next(middle for middle, pattern in _LEVELS if re.fullmatch(pattern, level, re.IGNORECASE))
    inside = next((groups[name] for name in ("number_fr", "number_zh", "number_with") if groups.get(name)), None)
    number = _float(inside or groups["number"])
    if low := groups.get("low"):
        number = (number + _float(low)) / 2
    if inside or groups.get("percent"):
        return _inside(number / 100)
    if top := groups.get("of") or _top(groups.get("scale")):
        return _inside(number / _float(top)) if _float(top) else None
    return _on_scale(number)


def _top(scale: str | None) -> str | None:
    """Return the top of a scale such as `0-100`, `1 to 10` or `%`."""
    if not scale:
        return None
    if scale.strip() in ("%", "percent"):
        return "100"
    match = _TOP_OF_SCALE.search(scale)
    return match[1] if match else None


def _on_scale(number: float) -> float | None:
    if 0 <= number <= 1:
        return number
    return _inside(number / 100) if number > _LEAST_PERCENT else None


def _inside(share: float) -> float | None:
    return share if 0 <= share <= 1 else None


def _float(text: str) -> float:
    return float(text.replace(",", "."))
