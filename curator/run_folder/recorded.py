"""`recorded.jsonl`: one row per case with its generations, as `curator score` reads them.

Contract 4 of `docs/architecture.md` describes it. Other tools write such files too, so that reading is lenient: most fields may
be absent, and `peer_records` finds those that have other names.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from curator.errors import RecordError
from curator.readers.feedback import case_id_of, read_verdict, read_wrong
from curator.readers.json_text import as_text
from curator.records import (
    KINDS,
    Case,
    Generation,
    JsonValue,
    Kind,
    task_name,
)
from curator.records.recorded import Answered, Recorded, prompt_id_of
from curator.records.token_logprobs import read_logprobs
from curator.run_folder.peer_records import KeyUse, contract_record


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """A case of a run with the committee's answers, for `recorded.jsonl`.

    Attributes:
        case: what was asked, with production's answer and the trusted one.
        kind: of the answers.
        labels: the labels that an answer can be; () where they are not fixed.
        generations: those that were compared.
        left_out: those of members that count for nothing.
        failed: the errors of the calls that failed.
    """

    case: Case
    kind: Kind
    labels: tuple[str, ...]
    generations: Sequence[Generation]
    left_out: Sequence[Generation] = ()
    failed: Sequence[str] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """Return the line of the file; `read_record` reads it back."""
        case = self.case
        return {
            "id": case.id,
            "input": [message.as_openai() for message in case.messages],
            "kind": self.kind,
            **({} if case.task is None else {"task": case.task}),
            **({} if case.target is None else {"target": case.target}),
            **_target_logprobs(case),
            **_reference_fields(case),
            **({"labels": list(self.labels)} if self.labels else {}),
            "generations": [_generation_json(generation) for generation in self.generations],
            **({"left_out": [_generation_json(generation) for generation in self.left_out]} if self.left_out else {}),
            "failed": list(self.failed),
        }


def read_record(data: bytes) -> Recorded:
    """Read one record, the JSON of an object, as `read_keyed` does."""
    return read_keyed(data)[0]


def read_keyed(data: bytes) -> tuple[Recorded, KeyUse]:
    """Read one record, the JSON of an object, and return the keys that were used.

    The record is one of contract 4, or of another tool (`peer_records`). A generation is an object with a `text`, or the text
    itself. One without a text (null, or with an `error`) is not an answer. Its group is its model with its variant. `kind` counts
    if it is one of `records.KINDS`. `labels` may list the labels an answer can be. `wrong` or `verdict` may say whether the answer
    in question fails.

    Raises:
        RecordError: it does not fit the contract.
    """
    try:
        parsed = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise RecordError(f"not valid JSON ({error})", "write one JSON object a line, in UTF-8") from error
    if not isinstance(parsed, dict):
        raise RecordError(f"expected an object, found {type(parsed).__name__}", "write one JSON object a line")
    record, keys = contract_record(parsed)
    return _recorded(record), keys


def _recorded(record: dict[str, JsonValue]) -> Recorded:
    generations, kind, labels = record["generations"], record.get("kind"), record.get("labels")
    answers = map(_answered, generations) if isinstance(generations, list) else ()
    return Recorded(
        id=case_id_of(record),
        answers=tuple(answer for answer in answers if answer is not None),
        target=as_text(record.get("target")),
        kind=kind if kind in KINDS else None,
        labels=tuple(map(str, labels)) if isinstance(labels, list) else (),
        input=_asked(record.get("input")),
        question=_question(record.get("input")),
        target_logprobs=read_logprobs(record.get("target_logprobs"), record.get("target_tokens")),
        reference=as_text(record.get("reference")),
        reference_source=as_text(record.get("reference_source")),
        reference_slice=as_text(record.get("reference_slice")),
        reference_probability=_probability(record.get("reference_probability")),
        task=task_name(as_text(record.get("task")), _system(record.get("input"))),
        failure=_failure(record),
    )


def _probability(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value <= 1 else 1.0


def _failure(record: dict[str, JsonValue]) -> float | None:
    """Return the failure that `wrong` or `verdict` states; None where neither can be read."""
    with contextlib.suppress(RecordError):
        if (wrong := read_wrong(record.get("wrong"))) is not None:
            return float(wrong)
        verdict = read_verdict(record.get("verdict"))
        return 1 - verdict if isinstance(verdict, float) else None
    return None


def _system(value: object) -> str:
    """Return the system messages of an input as one text."""
    messages = value if isinstance(value, list) else []
    return "\n\n".join(_asked(m.get("content")) for m in messages if isinstance(m, dict) and m.get("role") == "system")


def _question(value: object) -> str:
    """Return the question: a text, or the last user message of a list of messages."""
    if isinstance(value, str):
        return value
    messages = value if isinstance(value, list) else []
    asked = [m.get("content") for m in messages if isinstance(m, dict) and m.get("role") == "user"]
    return asked[-1] if asked and isinstance(asked[-1], str) else ""


def _answered(generation: object) -> Answered | None:
    """Read a generation as an answer; None where it has no text."""
    if generation is None:
        return None
    if isinstance(generation, str):
        return Answered(generation, prompt_id="")
    if not isinstance(generation, dict):
        raise RecordError(
            f"a generation is {type(generation).__name__}", "write each generation as a text or as {'text': ...}"
        )
    text = as_text(generation.get("text"))
    if text is None or generation.get("error"):
        return None
    model = as_text(generation.get("model"))
    temperature = generation.get("temperature")
    logprobs = read_logprobs(generation.get("logprobs"), generation.get("tokens"))
    return Answered(
        text,
        prompt_id=prompt_id_of(model, as_text(generation.get("variant"))),
        temperature=float(temperature) if isinstance(temperature, int | float) else None,
        logprobs=logprobs.values if logprobs else None,
        model=model or "",
        tokens=logprobs.tokens if logprobs else (),
    )


def _asked(value: object) -> str:
    """Return all that was asked: a text, or the text parts of all messages but the assistant's."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "" if value.get("role") == "assistant" else _asked(value.get("content") or value.get("text"))
    return "\n".join(filter(None, map(_asked, value))) if isinstance(value, list) else ""


def _target_logprobs(case: Case) -> dict[str, JsonValue]:
    """Return the log-probabilities of production's answer; {} without them."""
    logprobs = case.target_logprobs
    if logprobs is None:
        return {}
    fields: dict[str, JsonValue] = {"target_logprobs": list(logprobs.values)}
    return {**fields, "target_tokens": list(logprobs.tokens)} if logprobs.tokens else fields


def _reference_fields(case: Case) -> dict[str, JsonValue]:
    """Return the trusted answer, the verdict, and how the case was selected; {} without both."""
    reference, verdict = case.reference, case.verdict
    label = reference or verdict
    if label is None:
        return {}
    return {
        **({} if reference is None else {"reference": reference.text}),
        **({} if verdict is None else {"verdict": 1 - verdict.failure}),
        "reference_source": reference.source if reference else "label",
        "reference_slice": label.slice,
        "reference_probability": label.probability,
    }


def _generation_json(generation: Generation) -> dict[str, JsonValue]:
    fields: dict[str, JsonValue] = {
        "text": generation.text,
        "model": generation.model,
        "variant": generation.variant,
        "temperature": generation.temperature,
    }
    if generation.logprobs is not None:
        fields["logprobs"] = list(generation.logprobs)
    if generation.tokens:
        fields["tokens"] = list(generation.tokens)
    return fields
