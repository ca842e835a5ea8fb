"""`curator redact`: try redaction on a text, or turn pseudonyms back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from curator.config import Config
from curator.records import JsonValue
from curator.records.result import Result
from curator.redaction.restore import Restorer
from curator.stages.redact import Redaction
from curator.state.paths import StatePaths
from curator.state.pseudonyms import read_pseudonyms
from curator.workflows.inputs import PathLike, config_from


@dataclass(frozen=True, slots=True)
class RedactedText(Result):
    """A text after redaction, or turned back; `counts` are the replacements by kind."""

    text: str
    counts: dict[str, int]

    def to_dict(self) -> dict[str, JsonValue]:
        """The text and the counts for machines."""
        return {"text": self.text, "counts": {**self.counts}}

    def to_text(self) -> str:
        """The text alone."""
        return self.text.removesuffix("\n")


def redact(text: str, config: Config | PathLike) -> RedactedText:
    """Redact a text as a run with this config does; JSONL line by line.

    Nothing is stored: without the key of an earlier run, pseudonyms and marks are other ones each time.
    """
    config = config_from(config)
    redactor = Redaction(config, StatePaths.of(config)).redactor
    counts: Counter[str] = Counter()
    lines = []
    for line in text.splitlines(keepends=True) if _is_json_lines(text) else (text,):
        redacted = redactor.redacted_text(line)
        counts.update(redacted.counts)
        lines.append(redacted.value)
    return RedactedText("".join(lines), dict(counts))


def restore(text: str, config: Config | PathLike) -> RedactedText:
    """Turn the pseudonyms in a text back into personal data, by the map of the config's runs.

    Secrets are gone for good.
    """
    config = config_from(config)
    originals = read_pseudonyms(StatePaths.of(config).pseudonyms)
    return RedactedText(Restorer(originals).text(text), {})


def _is_json_lines(text: str) -> bool:
    """Return whether a text is read record by record.

    In another text a private key may take several lines.
    """
    first, _, rest = text.partition("\n")
    return first.startswith("{") and first.rstrip().endswith("}") and bool(rest)
