"""`curator doctor`: logs that a run could not use, and plugins, are found before a run."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from curator.committee.requests import CallFailed, ModelReply
from curator.config import ModelConfig, Price, parse_config
from curator.plugins import Registry
from curator.records import Usage
from curator.workflows import doctor, doctor_probe, installation
from curator.workflows.doctor import Finding, examine

CHAT = '{"messages": [{"role": "user", "content": "Hello %d?"}]}\n'


def logs_finding(job: dict[str, Any], path: Path, content: str) -> Finding:
    path.write_text(content, encoding="utf-8")
    job["logs"] = {"paths": [str(path)]}
    return doctor._logs(parse_config(job))


@pytest.mark.parametrize(
    ("content", "status", "state", "remedy"),
    [
        ("", "fail", "1 file, 0.0 MB, and no record in them", "name the files that hold the logs"),
        ("no json\n" * 3, "fail", "3 of the first 3 records cannot be read", ""),
        ("".join(CHAT % i for i in range(9)) + "no json\n", "warn", "1 of the first 10 records cannot be read", ""),
        ("no json\n", "fail", "MB; the first record cannot be read", ""),
        (CHAT % 1, "ok", "MB; the first record can be read", ""),
        ("".join(CHAT % i for i in range(300)), "ok", "the first 100 records can be read", ""),
    ],
)
def test_logs_are_read_before_they_are_called_ok(
    job: dict[str, Any], tmp_path: Path, content: str, status: str, state: str, remedy: str
) -> None:
    finding = logs_finding(job, tmp_path / "log.jsonl", content)
    assert finding.status == status
    assert state in finding.found
    assert bool(finding.remedy) == (status != "ok")
    assert remedy in finding.remedy


def test_plugins_are_named_and_broken_ones_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("max", "sys:maxsize", "curator.numbers"), EntryPoint("bad", "gone:thing", "curator.numbers")]
    numbers = Registry("number", int, {}, group="curator.numbers", find=lambda _: points)
    monkeypatch.setattr(doctor, "plugin_registries", lambda: iter([numbers]))
    findings = {finding.name: finding for finding in doctor._plugins()}
    assert findings["plugins: numbers"].found == "max"
    assert findings["plugin bad"].status == "warn"
    assert "curator.numbers" in findings["plugin bad"].remedy
    monkeypatch.setattr(installation, "plugin_registries", lambda: iter([numbers]))
    assert "plugin max (curator.numbers)" in installation.version_text()
    assert "broken plugin bad (curator.numbers)" in installation.version_text()


def test_a_machine_without_a_config_is_examined() -> None:
    assert {"python", "disk", "openai", "local model"} <= {
        finding.name for finding in examine(None, environ={}).findings
    }


def test_models_beside_the_committee_are_examined(job: dict[str, Any]) -> None:
    job["categories"] = {"model": {"name": "w", "model": "no-such-model", "base_url": "http://127.0.0.1:1/v1"}}
    [price] = [f for f in examine(parse_config(job), environ={}).findings if f.name == "w: price"]
    assert price.status == "fail"


@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [
        (ModelReply("OK", "stop", Usage(9, 1)), "ok", "answers one question (1 output tokens)"),
        (
            ModelReply(
                "", "length", None, failure=CallFailed("rejected", "x", cause="token_limit", reasoning_tokens=64)
            ),
            "fail",
            "`committee.max_tokens: 64` was used up by hidden reasoning (64 tokens)",
        ),
        (CallFailed("retryable", "429 per day", status=429, retry_after_s=86_400.0), "fail", "24 h 0 min"),
    ],
)
def test_one_question_finds_what_a_list_of_models_cannot(
    monkeypatch: pytest.MonkeyPatch, outcome: ModelReply | CallFailed, status: str, words: str
) -> None:
    async def ask(*_: object) -> ModelReply | CallFailed:
        return outcome

    monkeypatch.setattr(doctor_probe, "_ask", ask)
    model = ModelConfig(name="m", model="m-1", base_url="http://127.0.0.1:1/v1", price=Price(input=1, output=2))
    finding = doctor._answer(model, 64, {})
    assert (finding.name, finding.status) == ("m: answer", status)
    assert words in finding.found
    dear = model.model_copy(update={"price": Price(input=1, output=100_000)})
    assert doctor._answer(dear, 64, {}).status == "warn"
