"""Secrets that words before them name.

`password=...`, `"api_key": "..."`, "the token is ...".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from curator.redaction.checks import is_placeholder, is_strong, is_uuid, looks_random
from curator.redaction.scan import Scan
from curator.redaction.spans import Span

_NAMES = {
    "password": r"pass[ _-]?(?:word|wd|phrase|code|wort)s?|(?<![a-z])pass(?![a-z])|pwd|kennwort|contrase(?:\u00f1|n)a|mot[ ]de[ ]passe|senha"
    r"|wachtwoord|credentials?|\u043f\u0430\u0440\u043e\u043b\u044c|\u5bc6\u7801|\u5bc6\u78bc|\u30d1\u30b9\u30ef\u30fc\u30c9"
    r"|\ube44\ubc00\ubc88\ud638",
    "secret": r"[ _-]?secret(?:[ _-]?(?:access[ _-]?)?(?:key|token|value))?",
    "token": r"(?:api|access|auth|private|signing|encryption|master|license|account|subscription|service|storage|session|refresh|bot|id"
    r"|shared[ _-]?access)[ _-]?(?:key|token)|(?<![a-z])token(?![a-z])|(?:proxy-)?authorization|bearer",
    "pin": r"(?<![a-z])(?:card[ _-]?)?pin(?:[ _-]?(?:code|number))?(?![a-z])|(?<![a-z])(?:cv[vc]2?|cid|security[ _-]code)(?![a-z])",
    "cookie": "(?:set-)?cookie",
}
_ASSIGNMENT = re.compile(
    rf"""(?ix) (?P<flag>--[\w-]*)? (?: {"|".join(f"(?P<{name}>{words})" for name, words in _NAMES.items())} )
    (?:[_-]?(?:hash|value|confirm(?:ation)?|repeat|new|old|plain|text|[0-9]))?
    (?: (?P<close>\\*["'`*]{{0,3}}) \]? \s{{0,3}} (?P<operator>\s[-\u2013]\s|:=|=>|->|==?|:|%3[AaDd]|\uff1a|>|\||,\s?["']?value["']?\s?[:=]|\b(?:is|was|ist|lautet|est|es|hei\u00dft|set[ ]to|changed[ ]to)\b:?|(?<=bearer)\s|(?<=\w)\s)
      [*_]{{0,3}} \s{{0,3}} (?:(?:bearer|basic|token|apikey|digest)[ ]+)? (?P<open>\\*["'`]{{0,3}}) )"""
)  # fmt: skip
_UNQUOTED = re.compile(r"[^\s\"'`,;&<>)}\]|\\]+")
_OF_COOKIE = re.compile(r"[^\n\"'\\]+")
_WORDS_BEFORE = re.compile(
    r"""(?ix) (?: (?<![a-z])(?:api|access|secret|private|auth|signing|encryption|master|license|account|subscription|service|storage|admin|root|client|shared)?[ _-]?keys?(?![a-z])
      | (?<!ax_)(?<![a-z])(?:\w{0,12}[_-])?token(?![a-z]) | secret | passw | passphrase | credential | bearer | authori[sz]ation | cookie | signature | (?<![a-z])sig(?![a-z]) | api[ _-]?key | jwt | \u0442\u043e\u043a\u0435\u043d | schl\u00fcssel )
    (?P<gap>[^\n;{}0-9]{0,40}?) [\s"'`\\(\[<:=]* $"""
)  # fmt: skip
_NOT_KEPT = re.compile(
    r"(?i)(?:public|primary|foreign|partition|sort|cache|object|row|hash|idempotency|dedup|storage_object|s3|redis|map|dict|answer)[ _-]?keys?|publishable"
)
_STRONG_WORDS = re.compile(r"(?i)secret|api[ _-]?key|access|private|password|bearer|auth|credential|token")
_SENTENCE = re.compile(
    r"(?i)[ ].*\b(?:your|the|must|please|is|are|at|and|or|password|characters|a|an|to|for|of|user)\b|\b(?:your|the|enter|please|must|forgot|reset|password)\b.*[ ]"
)
_CARD_CODE = re.compile("(?i)cv[vc]2?")
_TOLD = frozenset({"is", "was", "ist", "lautet", "est", "es", "hei\u00dft", "-", "\u2013", "|", ">", ""})
"""Signs and words that also stand before other text than a value, so that the value has to show that it is one."""
_LOOK_BACK = 64


def named_secrets(scan: Scan) -> Iterator[Span]:
    """Yield the values that words before them name as secret."""
    if scan.long_words:
        yield from _long_values(scan)
    for start, end in scan.secret_names:
        for match in _ASSIGNMENT.finditer(scan.text, start, end):
            yield from _assigned(scan.text, match)


def _assigned(text: str, match: re.Match[str]) -> Iterator[Span]:
    """The value of `name = value` if its name and its form together say that it is secret."""
    start, quote = match.end(), match["open"]
    spaced = match["operator"].isspace() and not (match["flag"] or match[0].lower().startswith("bearer"))
    if spaced and not match["password"] and not _CARD_CODE.fullmatch(match["pin"] or ""):
        return
    if match["cookie"]:
        value = _OF_COOKIE.match(text, start)
        if value and match["operator"] == ":" and "=" in value[0] and not is_placeholder(value[0]):
            yield Span(start, value.end(), "cookie")
        return
    end = _end_of_value(text, start, quote)
    value_text = text[start:end]
    if not quote:
        value_text = value_text.rstrip(".?:*_")
        end = start + len(value_text)
    if is_placeholder(value_text) or (spaced and not match["pin"] and not _stands_out(value_text)):
        return
    kind = _kind(match, value_text, quoted=bool(quote))
    if kind:
        yield Span(start, end, kind, replacement=None)


def _end_of_value(text: str, start: int, quote: str) -> int:
    """The end of a value: the quote that opened it, or white space."""
    if not quote:
        value = _UNQUOTED.match(text, start)
        return value.end() if value else start
    line = text.find("\n", start)
    line = len(text) if line < 0 else line
    end = text.find(quote, start, line)
    while end > start and not quote.startswith("\\") and text[end - 1] == "\\" and text[end - 2] != "\\":
        end = text.find(quote, end + 1, line)
    return line if end < 0 else end


def _kind(match: re.Match[str], value: str, *, quoted: bool) -> str | None:
    """The kind of secret that this value of this name is; None if it is none."""
    assigned = match["operator"].strip().lower() not in _TOLD
    if match["password"]:
        bare = match["password"].lower() == "pass"
        if quoted and assigned and not bare and len(value) >= 3 and not _SENTENCE.search(value):
            return "password"
        if (
            match["operator"] in ("=", "%3D", "%3d")
            and not bare
            and len(value) >= 3
            and not re.search(r"\w[(\[]", value)
        ):
            return "password"
        passphrase = quoted and "phrase" in match["password"].lower() and len(value) <= 200
        return "password" if passphrase or (is_strong(value) and not (bare and value.isdigit())) else None
    if match["pin"]:
        return "pin" if re.fullmatch("[0-9]{3,8}", value) else None
    if match["secret"]:
        return (
            "secret" if looks_random(value) or (len(value) >= 6 and is_strong(value) and (assigned or quoted)) else None
        )
    return "token" if _is_token(value, assigned=assigned) else None


def _stands_out(value: str) -> bool:
    """Return whether a value is a password in a sentence that only names one.

    It has six letters and digits, or more.
    """
    return len(value) >= 6 and re.search("[0-9]", value) is not None and re.search("[A-Za-z]{2}", value) is not None


def _is_token(value: str, *, assigned: bool) -> bool:
    if looks_random(value):
        return True
    digits, letters = sum(map(str.isdigit, value)), sum(map(str.isalpha, value))
    return (
        assigned
        and len(value) >= 8
        and digits >= 2
        and letters >= 2
        and re.fullmatch(r"[\w+/=.~-]+", value) is not None
    )


def _long_values(scan: Scan) -> Iterator[Span]:
    """The long random words that come shortly after a word for a secret."""
    text = scan.text
    for start, end in scan.long_words:
        word = text[start:end]
        name, _, value = word.rstrip("=").rpartition("=")
        begin = end - len(word) + len(name) + 1 if name else start
        value = text[begin:end].rstrip(".")
        if not looks_random(value) or is_placeholder(value):
            continue
        before = text[max(0, begin - _LOOK_BACK) : begin]
        words = _WORDS_BEFORE.search(before)
        if words is None or words["gap"].count('":') + words["gap"].count("',") + words["gap"].count('",') > 0:
            continue
        if _NOT_KEPT.search(before) or (is_uuid(value) and not _STRONG_WORDS.search(words[0])):
            continue
        yield Span(begin, begin + len(value), "token")
