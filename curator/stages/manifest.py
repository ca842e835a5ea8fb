"""Stage results to `manifest.json`: what it takes to repeat the run."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import orjson

from curator._version import __version__
from curator.committee.prices import price_of, price_source
from curator.config import ModelConfig
from curator.config.endpoint import is_conventional_name
from curator.io.log_file import LogFile
from curator.records import JsonValue
from curator.run_folder.calibration import CalibrationFile
from curator.stages.artifacts import RunArtifacts

SECRET_NAME = re.compile(r"key|token|secret|password|authorization|credential", re.IGNORECASE)
_BLOCK = 1 << 20
PACKAGES = ("aiohttp", "hdbscan", "litellm", "numpy", "pydantic", "scikit-learn", "sentence-transformers", "torch")


def manifest_json(run: RunArtifacts, hashes: Mapping[str, str | None]) -> dict[str, JsonValue]:
    """Return what repeats the run, and shows what changed if a repeat differs."""
    config = _masked(run.config.model_dump(mode="json"))
    models = run.config.committee.models
    return {
        "curator": __version__,
        "started": run.started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "stopped": None if run.sampling.stopped is None else run.sampling.stopped.what,
        "python": platform.python_version(),
        "packages": _versions(),
        "config": config,
        "config_sha256": hashlib.sha256(orjson.dumps(config, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        "seed": run.config.seed,
        "logs": [{"file": str(file), "sha256": file_sha256(file)} for file in run.ingest.logs],
        "members": [_masked(asdict(member)) for member in run.sampling.plan.members],
        "variants": [{"id": v.id, "version": v.version, "sha256": v.digest} for v in run.sampling.plan.variants],
        "prices": {
            m.name: _price(m) for m in models
        },
        "prices_as_of": run.started.date().isoformat(),
        "encoder": run.embedded.encoder,
        "equivalence": _equivalence(run),
        "categories": _categories(run),
        "judge": _judge(run),
        "calibration": _calibration(run.calibration),
        "counts": {
            "read": run.ingest.read,
            "kept": len(run.ingest.cases),
            "merged": len(run.ingest.merged),
            "set_aside": len(run.ingest.unreadable),
            **asdict(run.ingest.counts),
            "asked": len(run.ingest.asked),
            "requests_sent": run.sampling.stats.sent,
            "answers_from_store": run.sampling.stats.from_store,
            "failed": run.sampling.stats.failed,
            "spent_usd": run.sampling.stats.usd,
            "unconfirmed_usd": run.sampling.stats.unconfirmed_usd,
            "labels": run.ingest.labels,
            "redacted": dict(sorted(run.ingest.redacted.items())),
            **({"calls": run.audit.calls, "calls_full": run.audit.calls_full} if run.audit else {}),
        },
        "selection": {
            "discovery": "the most disagreeing cases that cover the rest; certain to be drawn (probability 1)",
            "estimation": "the random slice; together with the certain cases it is a probability sample",
        },
        "files": dict(hashes),
    }  # fmt: skip


def _equivalence(run: RunArtifacts) -> dict[str, JsonValue]:
    """Return the method that decided which answers mean the same."""
    config, judged = run.config.equivalence, run.sampling.judged
    facts: dict[str, JsonValue] = {"method": config.method}
    if config.method == "nli":
        facts["nli_model"] = config.nli_model
    if config.asks is None or judged is None:
        return facts
    prompt = judged.prompt
    return facts | {
        "model": config.asks.model.model or judged.model,
        "prompt": {"id": prompt.id, "version": prompt.version, "sha256": prompt.digest},
        "price": _price(config.asks.model),
        "pairs": judged.pairs,
        "undecided": dict(judged.undecided),
        "usd": judged.usd,
        "requests_sent": judged.sent,
        "verdicts_from_store": judged.from_store,
    }


def _categories(run: RunArtifacts) -> dict[str, JsonValue]:
    """Return the use of the model of categories, for their names and for attributes."""
    model, usages = run.config.categories.model, {"names": run.names, "attributes": run.attributes.usage}
    return {name: usage.facts() | {"price": _price(model)} for name, usage in usages.items() if usage and model}


def _judge(run: RunArtifacts) -> dict[str, JsonValue] | None:
    """Return the use of the judge of production's answers; None without one."""
    if run.config.judge is None:
        return None
    usage, model = run.judgements.usage, run.config.judge_model
    asked = usage.facts() | {"price": _price(model)} if usage and model else {}
    return {"ranking_weight": run.judge_ranking_weight, **asked}


def _price(model: ModelConfig) -> dict[str, JsonValue]:
    return {**price_of(model).model_dump(), "source": price_source(model)}


def _calibration(fitted: CalibrationFile | None) -> JsonValue:
    """Return the calibration that the config names, and whether it ranked."""
    if fitted is None:
        return None
    return {
        "file": str(fitted.path),
        "sha256": fitted.sha256,
        "verdict": fitted.verdict,
        "used": fitted.verdict == "used",
    }


def _versions() -> dict[str, JsonValue]:
    versions: dict[str, JsonValue] = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return versions


def _masked(value: JsonValue) -> JsonValue:
    """Return a value with the texts under names such as `Authorization` replaced by ***.

    The name of a key's variable stays if it has the usual form of one.
    """
    if isinstance(value, dict):
        return {key: "***" if _is_secret(key, item) else _masked(item) for key, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _is_secret(key: str, item: JsonValue) -> bool:
    if not isinstance(item, str) or not SECRET_NAME.search(key):
        return False
    return key != "api_key_env" or not is_conventional_name(item)


def file_sha256(file: LogFile) -> str | None:
    """Return the SHA-256 of a file, packed as it is; None if it is gone, such as a rotated log."""
    digest = hashlib.sha256()
    try:
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()
