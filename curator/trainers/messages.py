"""Texts of programs and providers, made safe to show: short, on one line, without secrets."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from curator.config.redaction import RedactionConfig
from curator.redaction.redactor import Redactor
from curator.text.display import one_line

_LONGEST = 400
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_SECRET_CHARS = 8  # a shorter value (`none`, `EMPTY`) is a placeholder, and texts may contain it


def shown(text: str, environ: Mapping[str, str], *, secrets: Collection[str] = ()) -> str:
    """Return a text of a program on one line of at most 400 characters.

    What looks like a secret is replaced, and so are `secrets`, and the values of those variables of the environment whose names say
    that they hold one.
    """
    for secret in sorted(_secrets(environ, secrets), key=len, reverse=True):
        text = text.replace(secret, "[key]")
    return one_line(Redactor(RedactionConfig(), key=b"").text(text), _LONGEST)


def _secrets(environ: Mapping[str, str], secrets: Collection[str]) -> set[str]:
    named = (value.strip() for name, value in environ.items() if _SECRET_NAME.search(name))
    return {value for value in (*named, *secrets) if len(value) >= _SECRET_CHARS}
