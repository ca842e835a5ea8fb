"""Redaction: the personal data that is replaced, and what is left although a rule finds it."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator

from curator.config.section import Section

PersonalKind = Literal["mail", "phone", "iban", "address", "ip", "birth_date"]
PERSONAL_KINDS: tuple[PersonalKind, ...] = get_args(PersonalKind)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


class RedactionConfig(Section):
    """Redaction of the logs. Secrets are always taken out (`docs/privacy.md`)."""

    personal: tuple[PersonalKind, ...] = ()
    """The kinds of personal data that get pseudonyms of the same form: `mail`, `phone`, `iban`, `address` (postal), `ip`,
    `birth_date`."""
    allow: tuple[Annotated[str, AfterValidator(_pattern)], ...] = ()
    """Regular expressions of texts that stay as they are, for false alarms. One must match all that was taken for a secret or
    for personal data."""
