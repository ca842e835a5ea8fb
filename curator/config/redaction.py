"""Redaction: the personal data that is replaced, and what is left although a rule finds it."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator

from curator.config.section import Section

PersonalKind = Literal["mail", "phone", "iban", "address", "ip", "birth_date"]
_RECOGNISER = re.compile(r"spacy:\S+|[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
PERSONAL_KINDS: tuple[PersonalKind, ...] = get_args(PersonalKind)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


def _recogniser(reference: str) -> str:
    if not _RECOGNISER.fullmatch(reference):
        raise ValueError(
            f"{reference!r} names no recogniser: write `spacy:PIPELINE`, such as `spacy:en_core_web_sm`, or `package.module:function`"
        )
    return reference


class RedactionConfig(Section):
    """Redaction of the logs. Secrets are always taken out (`docs/privacy.md`)."""

    personal: tuple[PersonalKind, ...] = ()
    """The kinds of personal data that get pseudonyms of the same form: `mail`, `phone`, `iban`, `address` (postal), `ip`,
    `birth_date`."""
    names: Annotated[str, AfterValidator(_recogniser)] | None = None
    """Finds names of people, which get pseudonyms too: an installed pipeline of spaCy (`spacy:en_core_web_sm`), or a function of
    yours (`package.module:function`) that takes a text and returns the places of names in it, `[(start, end), ...]`. Without it
    names stay."""
    allow: tuple[Annotated[str, AfterValidator(_pattern)], ...] = ()
    """Regular expressions of texts that stay as they are, for false alarms. One must match all that was taken for a secret or
    for personal data."""
