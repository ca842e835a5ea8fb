"""Redaction in a run: the redactor, what it replaced, and the map that turns it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

from curator.config import Config
from curator.records import Case, Label, RejectedRecord, hashed_id
from curator.redaction.pseudonyms import keyed_hash
from curator.redaction.redactor import Redacted, Redactor
from curator.state.paths import StatePaths
from curator.state.pseudonyms import PseudonymMap, new_key, read_key, read_pseudonyms, write_key

T = TypeVar("T")


class Redaction:
    """Redacts what a run reads, and counts what was replaced.

    The key is read from its file, or made at random; `save` writes a new one. Until then nothing is written.

    Attributes:
        redactor: of cases as they are logged.
        counts: the replacements in the logs, by kind.
    """

    def __init__(self, config: Config, paths: StatePaths | None) -> None:
        self._paths = paths
        key = read_key(paths.redaction_key) if paths else None
        self._is_new = key is None
        self.redactor = Redactor(config.redaction, key or new_key())
        self.counts: Counter[str] = Counter()
        self._originals: dict[str, str] = {}

    def hashed_id(self, user: str) -> str:
        """Return the hash that a case has for the id of a user or a session."""
        return keyed_hash(hashed_id(user), self.redactor.key)

    def keyed(self, case: Case) -> Case:
        """Return the case with hashes of its session and user that need the key."""
        if case.session is None and case.user_id is None:
            return case
        key = self.redactor.key
        return replace(
            case,
            session=case.session and keyed_hash(case.session, key),
            user_id=case.user_id and keyed_hash(case.user_id, key),
        )

    def rejected(self, record: RejectedRecord) -> RejectedRecord:
        """Return the rejected record with a reason and a remedy that quote nothing sensitive."""
        text = self.redactor.text
        return replace(record, reason=text(record.reason), remedy=text(record.remedy))

    def label(self, label: Label) -> Label:
        """Return the label without what is sensitive; pseudonyms that the annotator saw stay."""
        clean = self._of_people.text
        text, category = (None if value is None else clean(value) for value in (label.text, label.category))
        return replace(label, text=text, category=category, note=clean(label.note))

    def kept(self, case: Case) -> Case:
        """Return a case of an earlier run, redacted by the settings of this run.

        Its pseudonyms stay, and so does its id.
        """
        return replace(self._of_people.case(case).value, id=case.id)

    def answer(self, text: str) -> str:
        """Return a model's answer without secrets.

        Personal data in it is a pseudonym, or of the model's making.
        """
        return self._of_models.text(text)

    def save(self) -> None:
        """Write a new key, and the pseudonyms of this run with their originals.

        Raises:
            StorageError: a file cannot be written.
        """
        if self._paths is None:
            return
        if self._is_new:
            write_key(self._paths.redaction_key, self.redactor.key)
            self._is_new = False
        if self._originals:
            with PseudonymMap(self._paths.pseudonyms) as file:
                file.add(self._originals)

    @cached_property
    def _of_models(self) -> Redactor:
        return self.redactor.secrets_only()

    @cached_property
    def _of_people(self) -> Redactor:
        earlier: Mapping[str, str] = read_pseudonyms(self._paths.pseudonyms) if self._paths else {}
        return replace(self.redactor, pseudonyms=frozenset(earlier) | frozenset(self._originals))

    def counted(self, redacted: Redacted[T]) -> T:
        """Count what was replaced in a value; return the value."""
        self.counts.update(redacted.counts)
        self._originals.update(redacted.originals)
        return redacted.value
