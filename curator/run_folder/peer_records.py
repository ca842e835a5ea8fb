"""Records of other tools in the form of contract 4: question, answers, trusted answer.

Other tools name the same things differently. A key is therefore found by the words in its name and by the form of its value, not by a
list of tools. The keys that were taken, and those that were not used, are returned beside the record, so that a command can name
them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import orjson

from curator.errors import RecordError
from curator.readers.hints import listed
from curator.readers.json_text import type_name
from curator.records import JsonValue

Role = Literal["id", "question", "production's answer", "trusted answer", "answers", "models"]

_IDS: Sequence[str] = (
    "doc_id", "question_id", "prompt_id", "example_id", "sample_id", "custom_id", "task_id", "record_id", "uid", "uuid", "idx",
    "index",
)  # fmt: skip
_QUESTIONS: Sequence[str] = (
    "input", "messages", "prompt", "instruction", "question", "query", "problem", "user_input", "conversation",
)  # fmt: skip
_SYSTEMS: Sequence[str] = ("system_prompt", "system", "system_message")
_TARGETS: Sequence[str] = (
    "target", "response", "answer", "output", "completion", "prediction", "original_response", "reply", "production_answer",
    "production_output", "production_response",
)  # fmt: skip
_TRUSTED: Sequence[str] = (
    "reference", "ground_truth", "reference_answer", "gold", "gold_answer", "golden_answer", "expected_output", "expected",
    "expected_answer", "expected_response", "ideal", "ideal_answer", "correct_answer", "gt",
)  # fmt: skip
_TEXTS: Sequence[str] = (
    "text", "response", "content", "completion", "generation", "generated_text", "answer", "output", "output_text", "reply",
    "message",
)  # fmt: skip
_MODELS: Sequence[str] = ("model", "model_name", "model_id", "generator")
_ANSWER_WORD = re.compile(
    "generat|sampl|respons|completion|answer|output|pred|candidate|reply|replies|resps|choices|rollout|continuation"
)
_OPTIONS = re.compile("choices")
"""Texts under such a key are the options of a question; only objects with a message are answers to it."""
_ALIASES = re.compile("answers")
"""A list under such a key may be the right answers of a data set: it counts where no other list does."""
_OTHER_NOUN = re.compile(
    "(?:model|generator|rating|score|token|logprob|length|label|reason|embedding|type|count|template|id|format|usage|time)s?"
)
"""The last word of a compound says what it is: `model_outputs` are outputs, `generation_models` are models."""
_NOT_OF_THE_COMMITTEE = re.compile("correct|reference|gold|truth|expected|ideal|filter|chosen|reject")
_MODEL_WORD = re.compile("model|generator")
_NUMBERED = re.compile(r"(.*[a-z])(?:[_\-. ]?\d{1,3}|[_\-. ][a-h])", re.IGNORECASE)
_HARNESS = ("doc", "resps", "filtered_resps")
"""Keys of evaluation harnesses: their `target` is the trusted answer, and their `doc` the row of the data set."""
_CONTRACT = frozenset((
    "id", "case_id", "input", "target", "generations", "reference", "kind", "task", "labels", "left_out", "failed",
    "target_logprobs", "target_tokens", "reference_source", "reference_slice", "reference_probability", "wrong", "verdict",
    "source", "feedback", "metadata", "weight", "group", "category",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The keys that were taken for the parts of a record, and those that were not used.

    Attributes:
        taken: the key by role, where it is not the key of contract 4; "" for an id that was made from the content.
        unused: keys with a value that no command reads.
        has_target: whether the record has production's answer.
    """

    taken: Mapping[Role, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    has_target: bool = True


def has_answers(record: Mapping[str, object]) -> bool:
    """Return whether a record is to be read for its answers, rather than as a score."""
    return "generations" in record or "disagreement" not in record


def contract_record(record: dict[str, JsonValue]) -> tuple[dict[str, JsonValue], KeyUse]:
    """Return a record in the form of contract 4, and the keys that were used for it.

    A record without an id gets one from its content. A record of contract 4 keeps its values.

    Raises:
        RecordError: no key holds a list of answers.
    """
    keys = _Keys(record)
    contract: dict[str, JsonValue] = {**record, "generations": keys.answers()}
    in_harness = any(key in record for key in _HARNESS)
    if (question := keys.question()) is not None:
        contract["input"] = question
    if in_harness:
        contract.pop("target", None)
    elif (target := keys.first("production's answer", _TARGETS)) is not None:
        contract["target"] = target
    trusted = keys.first("trusted answer", ("target", *_TRUSTED) if in_harness else _TRUSTED)
    if trusted is not None:
        contract["reference"] = trusted
    if contract.get("id") in (None, "") and contract.get("case_id") in (None, ""):
        contract["id"] = keys.first("id", _IDS)
    if contract.get("id") is None and contract.get("case_id") in (None, ""):
        keys.taken["id"] = ""
        contract["id"] = _id_from_content(record)
    return contract, KeyUse(keys.taken, keys.unused(), contract.get("target") is not None)


def _id_from_content(record: dict[str, JsonValue]) -> str:
    content = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    return f"r{hashlib.blake2b(content, digest_size=8).hexdigest()}"


class _Keys:
    """The keys of one record: finds each role's key, and remembers which were used."""

    def __init__(self, record: dict[str, JsonValue]) -> None:
        self.taken: dict[Role, str] = {}
        self._record = record
        self._names = {_plain(key): key for key in reversed(record)}
        self._used: set[str] = set()

    def unused(self) -> tuple[str, ...]:
        """Return the keys with a value that were neither used nor are of contract 4."""
        return tuple(
            key
            for key, value in self._record.items()
            if key not in self._used and key not in _CONTRACT and value not in (None, "", [], {})
        )

    def first(self, role: Role, names: Sequence[str]) -> JsonValue:
        """Return the value of the first key with one of the names that is free; None without one."""
        key = self._first(names)
        if key is None:
            return None
        self._take(role, [key])
        return self._record[key]

    def question(self) -> JsonValue:
        """Return the question: a text or messages; with the instruction and system prompt beside it."""
        if "arguments" in self._names and (prompt := _first_text(self._record[self._names["arguments"]])):
            self._take("question", [self._names["arguments"]])
            self._used.update(key for key in _HARNESS if key in self._record)
            return prompt
        key = self._first(_QUESTIONS)
        if key is None:
            return self._nested_question()
        asked, keys = self._record[key], [key]
        instruction = self._names.get("instruction")
        if isinstance(asked, str) and instruction not in (None, key) and isinstance(self._record[instruction], str):
            asked, keys = f"{self._record[instruction]}\n\n{asked}", [instruction, key]
        system = self._first(_SYSTEMS)
        if system is not None and isinstance(asked, str) and isinstance(self._record[system], str):
            messages: list[JsonValue] = [{"role": "system", "content": self._record[system]}]
            asked, keys = [*messages, {"role": "user", "content": asked}], [system, *keys]
        self._take("question", keys)
        return asked

    def _nested_question(self) -> JsonValue:
        """Return the question of an object inside the record, such as the row of a data set."""
        for key, value in self._record.items():
            if isinstance(value, dict) and key not in _CONTRACT:
                names = {_plain(inner): inner for inner in reversed(value)}
                inner = next((names[name] for name in _QUESTIONS if value.get(names.get(name, ""))), None)
                if inner is not None:
                    self._used.add(key)
                    self.taken["question"] = f"{key}.{inner}"
                    return value[inner]
        return None

    def answers(self) -> list[JsonValue]:
        """Return the generations, each a text or an object with its `text` and `model`.

        Raises:
            RecordError: there are none.
        """
        answers = self._listed_answers() or self._numbered_answers()
        if answers is None:
            raise self._no_answers()
        keys, items = answers
        self._take("answers", keys)
        models = self._models(len(items))
        return [_with_model(item, model) for item, model in zip(items, models, strict=True)] if models else items

    def _listed_answers(self) -> tuple[list[str], list[JsonValue]] | None:
        generations = self._record.get("generations")
        if isinstance(generations, list):
            return ["generations"], _leaves(generations)
        candidates = []
        for key, value in self._record.items():
            if isinstance(value, list) and value and _is_answer(key) and not _is_likelihood(value):
                leaves = _leaves(value)
                texts = not _OPTIONS.fullmatch(_plain(key))
                if all((texts and isinstance(leaf, str)) or _text_of(leaf) is not None for leaf in leaves if leaf):
                    candidates.append((_ALIASES.fullmatch(_plain(key)) is None, len(leaves), key, leaves))
        if not candidates:
            return None
        *_, key, leaves = max(candidates, key=lambda candidate: candidate[:2])
        return [key], leaves

    def _numbered_answers(self) -> tuple[list[str], list[JsonValue]] | None:
        """Return the answers of keys that differ in a number or letter: `response_1`, `response_2`."""
        stems: dict[str, list[str]] = {}
        for key, value in self._record.items():
            match = _NUMBERED.fullmatch(_plain(key))
            if match and _is_answer(match[1]) and (isinstance(value, str) or _text_of(value) is not None):
                stems.setdefault(match[1], []).append(key)
        keys = max(stems.values(), key=len, default=[])
        return (keys, [self._record[key] for key in keys]) if len(keys) > 1 else None

    def _models(self, count: int) -> list[str]:
        """Return the model of each answer, from a list beside them; [] without one."""
        for key, value in self._record.items():
            name = _plain(key)
            if key in self._used or key in _CONTRACT or not _MODEL_WORD.search(name):
                continue
            names = [value] * count if isinstance(value, str) and _ANSWER_WORD.search(name) else value
            if isinstance(names, list) and len(names) == count and all(isinstance(model, str) for model in names):
                self._take("models", [key])
                return [str(model) for model in names]
        return []

    def _no_answers(self) -> RecordError:
        """Say all at once what a record needs, and what of it this one has."""
        single = next((f"; `{k}` holds one answer" for k, v in self._record.items() if _is_answer(k) and v), "")
        if any(_is_answer(key) and _is_likelihood(value) for key, value in self._record.items()):
            single = "; they are likelihoods of options, not texts"
        if "generations" in self._record:
            single = f"; `generations` is a {type_name(self._record['generations'])}"
        parts = {"question": self._first(_QUESTIONS), "production's answer": self._first(_TARGETS)}
        has = [f"`{key}` would be the {role}" for role, key in parts.items() if key is not None]
        return RecordError(
            f"no list of answers to compare among the keys {listed(list(self._record))}{single}",
            "a record needs `generations`, a list of texts or of {'text': ..., 'model': ...}, and `input`, the question; it may have"
            f" `target`, production's answer, and `id`{' (' + ', '.join(has) + ')' if has else ''}. Where each line holds one"
            " answer, write the answers to one question into one line",
        )

    def _first(self, names: Sequence[str]) -> str | None:
        keys = (self._names[name] for name in names if name in self._names)
        return next(
            (key for key in keys if key not in self._used and self._record[key] not in (None, "", [], {})), None
        )

    def _take(self, role: Role, keys: Sequence[str]) -> None:
        self._used.update(keys)
        if len(keys) > 1 or keys[0] not in _CONTRACT or (role == "trusted answer" and keys[0] == "target"):
            self.taken[role] = keys[0] if len(keys) == 1 else f"{keys[0]} ... {keys[-1]}"


@lru_cache(maxsize=4096)
def _plain(key: str) -> str:
    """A key in snake case: `sampledAnswers` and `Sampled answers` become `sampled_answers`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key.strip())
    return re.sub(r"[\s\-.]+", "_", snake).lower()


def _is_answer(key: str) -> bool:
    name = _plain(key)
    return (
        _ANSWER_WORD.search(name) is not None
        and _OTHER_NOUN.fullmatch(name.rpartition("_")[2]) is None
        and _NOT_OF_THE_COMMITTEE.search(name) is None
    )


def _leaves(items: Sequence[JsonValue]) -> list[JsonValue]:
    """The answers of a list, also of lists in it; of a list of messages the last message."""
    leaves: list[JsonValue] = []
    for item in items:
        if not isinstance(item, list):
            leaves.append(item if isinstance(item, dict) and "text" in item else _as_generation(item))
        elif item and all(isinstance(turn, dict) and "role" in turn for turn in item):
            leaves.append(_as_generation(item[-1]))
        else:
            leaves.extend(_leaves(item))
    return leaves


def _is_likelihood(value: JsonValue) -> bool:
    """Return whether a list holds likelihoods of options: pairs of a number and a truth value."""
    while isinstance(value, list) and value and isinstance(value[0], list):
        value = value[0]
    return isinstance(value, list) and len(value) == 2 and str(value[1]) in ("True", "False")


def _as_generation(item: JsonValue) -> JsonValue:
    """An object of another tool with its `text` and `model`; anything else as it is."""
    text = _text_of(item)
    if not isinstance(item, dict) or text is None:
        return item
    model = next((item[key] for key in _MODELS if isinstance(item.get(key), str)), None)
    return {**item, "text": text, **({} if model is None else {"model": model})}


def _text_of(item: JsonValue) -> str | None:
    """The text of an answer in an object; None for anything else."""
    if not isinstance(item, dict):
        return None
    for key in _TEXTS:
        value = item.get(key)
        if isinstance(value, str):
            return value
        if key == "message" and (text := _text_of(value)) is not None:
            return text
    return None


def _with_model(item: JsonValue, model: str) -> JsonValue:
    if isinstance(item, dict):
        return item if item.get("model") else {**item, "model": model}
    return item if item is None else {"text": item, "model": model}


def _first_text(value: JsonValue) -> str | None:
    """The first text in a value, depth first."""
    return next(_texts(value), None)


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
