"""`curator doctor`: check this machine and the needs of a config."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import aiohttp

from curator.committee.prices import price_of
from curator.committee.prompts import load_variants
from curator.committee.providers.keys import api_key, proxy_for
from curator.committee.providers.local import LOCAL_MODEL, model_file, usable_cores
from curator.config import Config, EmbeddingConfig, ModelConfig
from curator.config.endpoint import OPENAI_BASE_URL
from curator.encoders.sentence import check_encoder
from curator.errors import ConfigError, ExitCode, UserError
from curator.io.find_logs import find_logs
from curator.io.local_weights import verify
from curator.io.log_file import name_of
from curator.readers.read import read
from curator.records import JsonValue, RejectedRecord
from curator.records.result import TableResult
from curator.state.paths import StatePaths
from curator.text.display import plural
from curator.workflows.doctor_probe import probe
from curator.workflows.installation import PACKAGES, installed_version, plugin_registries

Status = Literal["ok", "warn", "fail"]
LEAST_FREE_GB = 1.0
TIMEOUT_S = 10.0
TRIED_FILES = 20
"""Log files that are tried; a run reads all of them."""
TRIED_RECORDS = 100
"""Records that are read of each: enough to see that its format is understood."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its status, the state that was found and, unless it is ok, the remedy."""

    name: str
    status: Status
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Examination(TableResult):
    """The findings of all checks, in their order."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> ExitCode:
        """2 if anything failed, else 0."""
        return ExitCode.USAGE if any(f.status == "fail" for f in self.findings) else ExitCode.DONE

    def to_text(self) -> str:
        """Return one line a finding, with the remedy below it."""
        lines = []
        for f in self.findings:
            lines.append(f"{f.status:<5} {f.name:<22} {f.found}")
            if f.remedy:
                lines.append(f"      -> {f.remedy}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the findings for machines."""
        return {"ok": self.exit_code == ExitCode.DONE, "findings": [{**asdict(f)} for f in self.findings]}

    def table_rows(self) -> list[dict[str, object]]:
        """Return one row a finding."""
        return [asdict(finding) for finding in self.findings]


def examine(config: Config | None, *, environ: Mapping[str, str]) -> Examination:
    """Check the machine and, with a config, everything that it names.

    Each OpenAI-compatible endpoint of the committee is asked one question, unless that may cost more than some cents.
    """
    findings = [*_machine(config.folder.absolute() if config else Path.cwd()), *_packages(), *_plugins()]
    if config is None:
        findings += [_local_model(), _encoder(EmbeddingConfig())]
    else:
        findings += [_stored_answers(config), _logs(config), _variants(config), _encoder(config.embedding)]
        for model in (*config.committee.models, *config.models_beside):
            findings += _model(model, environ)
            if model in config.committee.models and model.provider == "openai" and findings[-1].status != "fail":
                findings.append(_answer(model, config.committee.max_tokens, environ))
    return Examination(tuple(findings))


def _machine(folder: Path) -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} at {sys.executable}")
    free = shutil.disk_usage(folder).free / 1e9
    yield (
        Finding("disk", "ok", f"{free:.1f} GB free here")
        if free >= LEAST_FREE_GB
        else Finding("disk", "warn", f"{free:.2f} GB free here", "make room: answers and vectors are stored here")
    )
    writable = os.access(folder, os.W_OK)
    yield (
        Finding("folder", "ok", f"{folder} can be written")
        if writable
        else Finding(
            "folder", "fail", f"{folder} cannot be written", "use a folder of your own for the config and its outputs"
        )
    )
    cores = usable_cores()
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    load = f"{cores} cores, load {busy:.1f}"
    yield (
        Finding("cores", "ok", load)
        if busy <= cores
        else Finding(
            "cores", "warn", load, "the local model is many times slower while other work uses the cores; wait for it"
        )
    )


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        if number := installed_version(name):
            yield Finding(name, "ok", number)
        else:
            optional = name == "xllamacpp"
            reason = "only the local language model needs it: " if optional else ""
            extra = "[local]" if optional else ""
            yield Finding(
                name,
                "warn" if optional else "fail",
                "not installed",
                f"{reason}pip install '.{extra}' in a clone, else pip install 'committee-curator{extra}'",
            )


def _plugins() -> Iterator[Finding]:
    for registry in plugin_registries():
        if added := [name for name in registry if name not in registry.built_in]:
            yield Finding(f"plugins: {registry.noun}s", "ok", ", ".join(added))
        for name, reason in registry.broken.items():
            remedy = f"fix or remove the package that provides it in the entry-point group {registry.group!r}"
            yield Finding(f"plugin {name}", "warn", f"broken {registry.noun}: {reason}", remedy)


def _stored_answers(config: Config) -> Finding:
    """Say where answers are stored, and warn if that is not beside the config."""
    paths = StatePaths.of(config)
    state = str(paths.store) if paths.store.exists() else f"{paths.store}, none yet"
    status: Status = "warn" if paths.notices else "ok"
    return Finding("stored answers", status, state, "; ".join(paths.notices))


def _logs(config: Config) -> Finding:
    if not config.logs.paths:
        return Finding("logs", "warn", "the config names none", "name them in `logs.paths`, or with --logs")
    try:
        files = find_logs(config.logs.paths).files
        records = [
            record
            for file in files[:TRIED_FILES]
            for record in islice(read(config.logs, paths=[name_of(file)]), TRIED_RECORDS)
        ]
    except UserError as error:
        return Finding("logs", "fail", error.what, error.remedy)
    size = sum(file.stat().st_size for file in files if isinstance(file, Path) and file.exists()) / 1e6
    extent = f"{plural(len(files), 'file')}, {size:.1f} MB"
    if not records:
        return Finding("logs", "fail", f"{extent}, and no record in them", "name the files that hold the logs")
    rejected = [record for record in records if isinstance(record, RejectedRecord)]
    if not rejected:
        return Finding("logs", "ok", f"{extent}; {_first(len(records))} can be read")
    first = rejected[0]
    of_first = f"{len(rejected):,} of " if len(records) > 1 else ""
    unreadable = f"{extent}; {of_first}{_first(len(records))} cannot be read"
    refused = len(rejected) > config.logs.max_unreadable * len(records) or len(rejected) == len(records)
    return Finding("logs", "fail" if refused else "warn", f"{unreadable}: {first.source}: {first.reason}", first.remedy)


def _first(records: int) -> str:
    return f"the first {records:,} records" if records > 1 else "the first record"


def _variants(config: Config) -> Finding:
    folder = config.committee.prompts
    try:
        variants = load_variants(config.committee.variants, Path(folder) if folder else None)
    except UserError as error:
        return Finding("prompt variants", "fail", error.what, error.remedy)
    return Finding("prompt variants", "ok", ", ".join(f"{v.id} v{v.version}" for v in variants))


def _encoder(config: EmbeddingConfig) -> Finding:
    try:
        return Finding("embedding model", "ok", check_encoder(config))
    except UserError as error:
        return Finding("embedding model", "fail", error.what, error.remedy)


def _local_model() -> Finding:
    try:
        verify(model_file())
        return Finding("local model", "ok", f"{LOCAL_MODEL}, its hash is right")
    except UserError as error:
        return Finding("local model", "warn", error.what, error.remedy)


def _model(model: ModelConfig, environ: Mapping[str, str]) -> Iterable[Finding]:
    try:
        price = price_of(model)
    except UserError as error:
        yield Finding(f"{model.name}: price", "fail", error.what, error.remedy)
    else:
        rates = f"${price.input:g} in, ${price.output:g} out per million tokens"
        yield Finding(f"{model.name}: price", "ok", rates)
    if model.provider == "local":
        local = _local_model()
        yield Finding(model.name, "fail" if local.status == "warn" else local.status, local.found, local.remedy)
    elif model.provider == "openai":
        yield _endpoint(model, environ)
    else:
        yield Finding(model.name, "warn", "through litellm: not asked, since asking costs", "the first call will tell")


def _endpoint(model: ModelConfig, environ: Mapping[str, str]) -> Finding:
    base_url = (model.base_url or OPENAI_BASE_URL).rstrip("/")
    try:
        key = api_key(model, environ)
        status, names = asyncio.run(_listed_models(base_url, key, proxy_for(base_url, environ)))
    except UserError as error:
        return Finding(model.name, "fail", error.what, error.remedy)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        state = f"{base_url} does not answer ({type(error).__name__})"
        return Finding(model.name, "fail", state, "start the endpoint, or fix `base_url`")
    if status in (401, 403):
        return Finding(model.name, "fail", f"{base_url} refuses the key ({status})", "set the key that it expects")
    if not names:
        return Finding(model.name, "warn", f"{base_url} answers, but lists no models", "the first call will tell")
    if model.model in names:
        return Finding(model.name, "ok", f"{base_url} answers, and has {model.model!r}")
    shown = ", ".join(sorted(names)[:8])
    return Finding(model.name, "fail", f"{base_url} has no model {model.model!r}", f"set `model:` to one of: {shown}")


def _answer(model: ModelConfig, max_tokens: int, environ: Mapping[str, str]) -> Finding:
    """Ask one question, which finds a token limit that leaves no room for an answer."""
    name = f"{model.name}: answer"
    try:
        return Finding(name, "ok", probe(model, max_tokens, environ=environ, now=time.time()))
    except ConfigError as error:
        return Finding(name, "warn", error.what, error.remedy)
    except UserError as error:
        return Finding(name, "fail", error.what, error.remedy)


async def _listed_models(base_url: str, key: str | None, proxy: str | None) -> tuple[int, set[str]]:
    """Ask `GET /models`, which costs no tokens; return its status and the names that it lists."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(f"{base_url}/models", headers=headers, proxy=proxy) as response,
    ):
        body = await response.json(content_type=None) if response.status == 200 else None
    listed = body.get("data") if isinstance(body, dict) else None
    return response.status, {str(m["id"]) for m in listed or () if isinstance(m, dict) and "id" in m}
