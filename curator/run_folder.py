"""Writes the run folder. Everything but `manifest.json` is a function of the logs, the config and the stored answers."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import orjson

from curator import __version__
from curator.committee.engine import Sampled
from curator.committee.plan import Plan
from curator.committee.prices import price_of, price_source
from curator.comparing import Judged
from curator.config import Config
from curator.disagreement.diagnosis import LEAST_GROUP, diagnose
from curator.guarding import LEAKS_FILE, Guarded, leak_row
from curator.held_out.records import Match
from curator.outputs.calibration_file import CalibrationFile
from curator.outputs.cases_file import CASES, case_row
from curator.outputs.design_file import DESIGN, SELECTION, Design, design_json, pool_hash, selection_rows
from curator.outputs.eval_set import category_names, eval_rows
from curator.outputs.files import json_lines, write_atomic
from curator.outputs.finetune import finetune_rows
from curator.outputs.label_queue import csv_chunks, queue_rows
from curator.picking import Picked
from curator.progress import Progress
from curator.records import Case, Diagnosis, FailureRate, Generation, JsonValue, Merged, Split, Unreadable
from curator.report.build import RunRecords, summarise
from curator.report.html import render_html
from curator.report.markdown import render_markdown
from curator.report.statistics import rounded
from curator.report.summary import (
    AdaptiveSummary,
    CalibrationSummary,
    CoverageSummary,
    FinetuneSummary,
    FitSummary,
    Leak,
    RegionSummary,
    Summary,
    summary_json,
)
from curator.report.text import one_line
from curator.results import Intake, Scored, Studied
from curator.selection.missed import LEAST_CASES, LEAST_IN_TOP, Missed
from curator.selection.regions import Region

MOST_LEAKS = 10
"""Leaks that the report shows."""
MOST_REGIONS = 5
"""Regions without a pick that it shows."""
LEAK_CHARACTERS = 160
SECRET_NAME = re.compile(r"key|token|secret|password|authorization|credential", re.IGNORECASE)
PACKAGES = ("aiohttp", "hdbscan", "litellm", "numpy", "pydantic", "scikit-learn", "sentence-transformers", "torch")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """All that a run knows when it comes to writing.

    `missed` is None where every case got the whole committee, `judged` where no judge was asked, `fitted` where the
    config names no calibration, and `rate` where there are no labels.
    """

    config: Config
    started: datetime
    intake: Intake
    plan: Plan
    sampled: Sampled
    generations: Mapping[str, Sequence[Generation]]
    scored: Scored
    studied: Studied
    picked: Picked
    guarded: Guarded
    missed: Missed | None = None
    judged: Judged | None = None
    fitted: CalibrationFile | None = None
    rate: FailureRate | None = None


def write_run_folder(folder: Path, run: RunFacts, progress: Progress) -> Summary:
    """Write every file, each one atomically and the manifest last; returns what `summary.json` holds.

    Raises:
        StorageError: the disk is full or the folder cannot be written; files of an earlier run stay whole.
    """
    progress.start("write", total=None, unit="files")
    cases = {case.id: case for case in run.intake.cases}
    scores, categories = run.scored.scores, run.studied.categories
    diagnoses = {case_id: diagnose([found]) for case_id, found in run.scored.patterns.items()}
    split = run.guarded.split_of
    finetune = finetune_rows(
        run.intake.cases,
        split_of_group=split,
        trusted_models=run.config.outputs.trusted_models,
        leaks=run.guarded.leaks,
    )
    queue = list(
        queue_rows(
            run.picked.picks, cases=cases, scores=scores, answers_of=run.scored.answers.__getitem__, categories=categories,
            labelling=run.config.labelling, seed=run.config.seed,
        )
    )  # fmt: skip
    every = list(_cases(run, split, diagnoses))
    pool = pool_hash(every)
    rows: dict[str, Sequence[Mapping[str, JsonValue]]] = {
        SELECTION: list(_selection(run, cases, pool)),
        "eval_set.jsonl": list(eval_rows(run.picked.picks, cases=cases, scores=scores, categories=categories)),
        "finetune.jsonl": finetune.rows,
        "label_queue.jsonl": queue,
        "recorded.jsonl": list(_recorded(run)),
        CASES: every,
        "merged.jsonl": [_merged_row(merged) for merged in run.intake.merged],
        "set_aside.jsonl": [set_aside_row(u) for u in run.intake.unreadable],
        LEAKS_FILE: [leak_row(match, run.guarded.exported_before) for match in run.guarded.leaks],
    }
    counted = {name: len(content) for name, content in rows.items()}
    counted["label_queue.csv"] = len(queue)
    shown = tuple(_leak(match) for match in run.guarded.leaks[:MOST_LEAKS])
    finetuned = FinetuneSummary(len(finetune.rows), finetune.by_source, finetune.excluded, shown)
    summary = _with_judge(summarise(_records(run, finetuned, counted, diagnoses)), run.judged)

    files: dict[str, Iterable[bytes]] = {name: json_lines(content) for name, content in rows.items()}
    files["label_queue.csv"] = csv_chunks(queue)
    files[DESIGN] = [design_json(Design((run.picked.stage,), run.config.seed, pool))]
    files["report.html"] = [render_html(summary).encode()]
    files["report.md"] = [render_markdown(summary).encode()]
    files["summary.json"] = [summary_json(summary)]
    for name, chunks in files.items():
        write_atomic(folder / name, chunks)
        progress.advance()
    manifest = _manifest(run, {name: _sha256(folder / name) for name in sorted(files)})
    write_atomic(folder / "manifest.json", [orjson.dumps(manifest, option=orjson.OPT_INDENT_2), b"\n"])
    progress.finish(f"{len(files) + 1} files in {folder}")
    return summary


def _selection(run: RunFacts, cases: Mapping[str, Case], pool: str) -> Iterator[dict[str, JsonValue]]:
    return selection_rows(
        run.picked.picks,
        cases=cases,
        scores=run.scored.scores,
        seed=run.config.seed,
        pool=pool,
        categories=category_names(run.studied.categories),
        labels_of=lambda case: _labels(run.config, case),
    )


def _merged_row(merged: Merged) -> dict[str, JsonValue]:
    return {
        "file": merged.source.file,
        "line": merged.source.line,
        "id": merged.id,
        "into": merged.into,
        "how": merged.how,
        "similarity": merged.similarity,
    }


def _with_judge(summary: Summary, judged: Judged | None) -> Summary:
    """The summary with what the judge cost on top of the committee."""
    if judged is None:
        return summary
    cost = rounded(summary.committee.cost_usd + judged.usd)
    return replace(summary, committee=replace(summary.committee, cost_usd=cost))


def _records(
    run: RunFacts, finetune: FinetuneSummary, outputs: Mapping[str, int], diagnoses: Mapping[str, Diagnosis]
) -> RunRecords:
    patterns = run.scored.patterns
    return RunRecords(
        name=run.config.name,
        logs=_files(run.intake),
        read=run.intake.read,
        cases=run.intake.cases,
        merged=run.intake.merged,
        unreadable=run.intake.unreadable,
        members=run.plan.members,
        generations=run.generations,
        scores=run.scored.scores,
        answers_of=run.scored.answers.__getitem__,
        embedded=run.studied.ids,
        layout=run.studied.places,
        categories=run.studied.categories,
        picks=run.picked.picks,
        finetune=finetune,
        outputs=outputs,
        health=run.scored.health,
        noise=run.scored.noise,
        blind=run.scored.blind,
        diagnoses=diagnoses,
        diagnose=lambda ids: diagnose([patterns[i] for i in ids], least=LEAST_GROUP),
        adaptive=None if run.missed is None else _adaptive(run.missed),
        calibration=None if run.fitted is None else _fitted(run.fitted),
        failure_rate=run.rate,
        coverage=_coverage(run),
        gone=run.studied.gone,
    )


def _leak(match: Match) -> Leak:
    """A match in the report's own terms."""
    return Leak(
        case_id=match.row,
        held_out_id=match.held,
        kind=match.kind,
        similarity=rounded(match.similarity),
        shared=match.shared,
        question=one_line(match.question, LEAK_CHARACTERS),
        held_out_question=one_line(match.held_text, LEAK_CHARACTERS),
    )


def _coverage(run: RunFacts) -> CoverageSummary | None:
    """What the picks stand for, in the report's own terms; None where nothing was embedded."""
    found = run.picked.discovery
    if not found.regions:
        return None
    picked = {pick.case_id for pick in run.picked.picks}
    users = {case.id: case.user for case in run.intake.asked}

    def told(region: Region) -> RegionSummary:
        return RegionSummary(
            name=region.name,
            cases=region.cases,
            picks=len(picked & set(region.case_ids)),
            evidence=region.evidence,
            example=one_line(users[region.case_ids[0]], LEAK_CHARACTERS),
        )

    parts = [told(region) for region in found.regions if region.kind != "outliers"]
    unseen = [part for part in parts if not part.picks]
    return CoverageSummary(
        embedded=sum(part.cases for part in parts),
        represented=rounded(found.represented),
        unseen=tuple(unseen[:MOST_REGIONS]),
        unseen_regions=len(unseen),
        regions=len(parts),
        outliers=next((told(region) for region in found.regions if region.kind == "outliers"), None),
    )


def _fitted(file: CalibrationFile) -> CalibrationSummary:
    """What the calibration is, in the report's own terms."""
    found = file.calibration
    if found is None:
        return CalibrationSummary(used=False, fit=None)
    fit = FitSummary(
        cases=found.cases,
        failures=found.failures,
        default_auroc=rounded(found.default_auroc),
        fitted_auroc=rounded(found.fitted_auroc),
        gain=rounded(found.gain),
        low=rounded(found.low),
        high=rounded(found.high),
    )
    return CalibrationSummary(used=found.better, fit=fit)


def _adaptive(missed: Missed) -> AdaptiveSummary:
    """What the selection measured, in the report's own terms."""

    def known(value: float | None) -> float | None:
        return None if value is None else rounded(value)

    return AdaptiveSummary(
        calls=missed.calls,
        calls_full=missed.calls_full,
        cases=missed.cases,
        least_cases=LEAST_CASES,
        in_top=missed.in_top,
        least_in_top=LEAST_IN_TOP,
        missed=known(missed.share),
        low=known(missed.low),
        high=known(missed.high),
        rank_correlation=known(missed.rank_correlation),
    )


def _recorded(run: RunFacts) -> Iterator[dict[str, JsonValue]]:
    """The generations in the form that `curator score` reads."""
    for case in run.intake.asked:
        score = run.scored.scores[case.id]
        yield {
            "id": case.id,
            "input": [m.as_openai() for m in case.messages],
            "kind": score.kind,
            **({"target": case.target} if case.target is not None else {}),
            **_reference(case),
            **({"labels": list(labels)} if (labels := _labels(run.config, case)) else {}),
            "generations": [_generation(g) for g in run.scored.compared[case.id]],
            **({"left_out": [_generation(g) for g in out]} if (out := run.scored.left_out.get(case.id)) else {}),
            "failed": [g.error for g in run.generations[case.id] if g.error is not None],
        }


def _reference(case: Case) -> dict[str, JsonValue]:
    """The trusted answer with what `curator calibrate` asks of it: where it is from, and why the case was labelled."""
    if case.reference is None:
        return {}
    found = case.reference
    return {
        "reference": found.text,
        "reference_source": found.source,
        "reference_slice": found.slice,
        "reference_probability": found.probability,
    }


def _generation(generation: Generation) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = {
        "text": generation.text,
        "model": generation.model,
        "variant": generation.variant,
        "temperature": generation.temperature,
    }
    if generation.logprobs is not None:
        shown["logprobs"] = list(generation.logprobs)
    return shown


def _labels(config: Config, case: Case) -> tuple[str, ...]:
    return config.tasks[case.task].labels if case.task in config.tasks else ()


def set_aside_row(record: Unreadable) -> dict[str, JsonValue]:
    """A record that could not be read, as a row of `set_aside.jsonl`."""
    return {"file": record.source.file, "line": record.source.line, "reason": record.reason, "remedy": record.remedy}


def _cases(
    run: RunFacts, split: Callable[[str], Split], diagnoses: Mapping[str, Diagnosis]
) -> Iterator[dict[str, JsonValue]]:
    """Every kept case with what is known of it."""
    named = category_names(run.studied.categories)
    slices = {pick.case_id: pick.slice for pick in run.picked.picks}
    for case in run.intake.cases:
        row = case_row(
            case, run.scored.scores.get(case.id), split=split(case.group), category=named.get(case.id),
            slice=slices.get(case.id),
        )  # fmt: skip
        yield {**row, **({"diagnosis": asdict(found)} if (found := diagnoses.get(case.id)) else {})}


def _manifest(run: RunFacts, hashes: Mapping[str, str | None]) -> dict[str, JsonValue]:
    """What made this run: enough to repeat it, and to see what changed where a repeat differs."""
    config = _masked(run.config.model_dump(mode="json"))
    models = run.config.committee.models
    return {
        "curator": __version__,
        "started": run.started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": _versions(),
        "config": config,
        "config_sha256": hashlib.sha256(orjson.dumps(config, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        "seed": run.config.seed,
        "logs": [{"file": name, "sha256": _sha256(Path(name))} for name in _files(run.intake)],
        "members": [_masked(asdict(member)) for member in run.plan.members],
        "variants": [{"id": v.id, "version": v.version, "sha256": v.digest} for v in run.plan.variants],
        "prices": {
            m.name: {**run.plan.prices[m.name].model_dump(), "source": price_source(m)} for m in models
        },
        "prices_as_of": run.started.date().isoformat(),
        "encoder": run.studied.encoder,
        "equivalence": _equivalence(run),
        "calibration": _calibration(run.fitted),
        "counts": {
            "read": run.intake.read,
            "kept": len(run.intake.cases),
            "merged": len(run.intake.merged),
            "set_aside": len(run.intake.unreadable),
            "asked": len(run.intake.asked),
            "requests_sent": run.sampled.sent,
            "answers_from_store": run.sampled.from_store,
            "failed": run.sampled.failed,
            "unconfirmed_usd": run.sampled.unconfirmed_usd,
            "labels": run.intake.labels,
            **({"calls": run.missed.calls, "calls_full": run.missed.calls_full} if run.missed else {}),
        },
        "selection": {
            "discovery": "the most disagreeing cases that cover the rest; certain to be drawn (probability 1)",
            "estimation": "the random slice; together with the certain cases it is a probability sample",
        },
        "files": dict(hashes),
    }  # fmt: skip


def _equivalence(run: RunFacts) -> dict[str, JsonValue]:
    """What said which answers mean the same."""
    config, judged = run.config.equivalence, run.judged
    found: dict[str, JsonValue] = {"method": config.method}
    if config.method == "nli":
        found["nli_model"] = config.nli_model
    if config.asks is None or judged is None:
        return found
    prompt = judged.prompt
    return found | {
        "model": config.asks.model.model or judged.model,
        "prompt": {"id": prompt.id, "version": prompt.version, "sha256": prompt.digest},
        "price": {**price_of(config.asks.model).model_dump(), "source": price_source(config.asks.model)},
        "pairs": judged.pairs,
        "undecided": dict(judged.undecided),
        "usd": judged.usd,
        "requests_sent": judged.sent,
        "verdicts_from_store": judged.from_store,
    }


def _calibration(fitted: CalibrationFile | None) -> JsonValue:
    """The calibration that the config names, and whether it ranked."""
    if fitted is None:
        return None
    return {
        "file": str(fitted.path),
        "sha256": fitted.sha256,
        "verdict": fitted.verdict,
        "used": fitted.verdict == "used",
    }


def _versions() -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _files(intake: Intake) -> list[str]:
    return sorted(
        {c.source.file for c in intake.cases}
        | {m.source.file for m in intake.merged}
        | {u.source.file for u in intake.unreadable}
    )


def _masked(value: JsonValue) -> JsonValue:
    """The value with what stands under a name such as `Authorization` blacked out."""
    if isinstance(value, dict):
        return {
            key: "***" if SECRET_NAME.search(key) and isinstance(item, str) and key != "api_key_env" else _masked(item)
            for key, item in value.items()
        }
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _sha256(path: Path) -> str | None:
    """The file's SHA-256; None if it is gone by now, as a log that was rotated away."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
