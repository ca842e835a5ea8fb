"""What the command line may look like: every command, its arguments and their help."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TypeAlias

from curator._version import __version__
from curator.cli import cache, commands, selection
from curator.cli import evaluation as evaluating
from curator.cli.console import DEFAULT_CONFIG
from curator.records import STRATEGY_NAMES

EXIT_CODES = """\
exit codes:
  0    done
  1    the disk is full or may not be written; the same command goes on from there
  2    usage or config, or what it may cost was not agreed to
  3    a gate failed: `curator leaks` found some
  4    a limit of `budget:` was reached; the same command goes on from there
  5    an endpoint refuses for good; the same command goes on from there
  6    no readable log, or too much of it unreadable
  130  interrupted; the same command goes on from there
"""
COMPARE_EXIT_CODES = """\
exit codes:
  0    done
  2    usage, or results that cannot be compared
  3    with --fail-if-worse: a system is significantly worse than the baseline
  6    no readable result, or too much of it unreadable
  130  interrupted
"""
CACHE_EXIT_CODES = """\
exit codes:
  0    done
  1    the disk is full or may not be written, or the store is damaged
  2    usage or config
  130  interrupted
"""


_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; `command` of what it reads is the function to call."""
    made = argparse.ArgumentParser(
        prog="curator",
        description="Turn production LLM logs into a lean eval set, fine-tune data and a map of what fails.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"curator {__version__}")
    group = made.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(group)
    _job_arguments(_command(group, "plan", commands.plan, "say what a run would ask, cost and take, without asking"))
    _add_status(group)
    _add_score(group)
    _add_calibrate(group)
    _add_select(group)
    _add_estimate(group)
    _add_leaks(group)
    _add_compare(group)
    _add_distil(group)
    _add_doctor(group)
    _add_init(group)
    _add_cache(group)
    return made


def _add_run(group: _Commands) -> None:
    run = _command(group, "run", commands.run, "run the whole job; an interrupted one goes on where it stopped")
    _job_arguments(run)
    run.add_argument(
        "--labels", nargs="+", action="extend", metavar="PATH", default=[], help="label files that came back"
    )
    run.add_argument("--out", type=Path, metavar="DIR", help="the run folder (default: runs/NAME of the config)")
    run.add_argument("--yes", action="store_true", help="spend what it takes, and do not ask before")
    run.add_argument(
        "--max-usd",
        type=_dollars,
        metavar="USD",
        help="spend this much at most, and do not ask before (instead of the config's `budget.max_usd`)",
    )


def _add_status(group: _Commands) -> None:
    status = _command(group, "status", commands.status, "say how far a run is, from another terminal")
    status.add_argument(
        "run",
        nargs="?",
        type=Path,
        metavar="RUN",
        help=f"the run folder (default: runs/NAME of {DEFAULT_CONFIG}, else the newest in runs/)",
    )


def _add_score(group: _Commands) -> None:
    score = _command(group, "score", commands.score, "score generations you already have; no model is asked")
    score.add_argument("recorded", type=Path, metavar="RECORDED.jsonl", help="one case with its generations a line")
    score.add_argument("--out", type=Path, metavar="SCORES.jsonl", help="where the scores go (default: stdout)")
    _scoring_arguments(score)
    score.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="rank by the score that `curator calibrate` fitted, where it has shown a gain",
    )
    score.add_argument(
        "--estimator",
        action="append",
        default=[],
        metavar="NAME",
        help="add the value of this estimator to every score, as `estimators: {NAME: value}`; may be repeated; the names"
        " are in docs/estimators.md",
    )
    score.add_argument("--jobs", type=_positive, metavar="N", help="processors to use (default: all)")


def _add_calibrate(group: _Commands) -> None:
    text = "fit the score to your own failures, and say whether that ranks better"
    calibrate = _command(group, "calibrate", commands.calibrate, text)
    calibrate.add_argument(
        "recorded",
        type=Path,
        metavar="RECORDED",
        help="recorded answers, as `curator score` reads them, or a run folder",
    )
    calibrate.add_argument(
        "--labels",
        nargs="+",
        action="extend",
        metavar="FILE",
        default=[],
        help="JSONL or CSV rows of `id` with `wrong` (true or false), `verdict` or `label`, of cases drawn at random"
        " (default: the records' references; of a run those of the random slice)",
    )
    calibrate.add_argument("--out", type=Path, metavar="FILE", help="where the calibration goes (default: nowhere)")
    _scoring_arguments(calibrate)


def _add_select(group: _Commands) -> None:
    text = "choose which cases of a pool to label: a discovery part, and a sample that tells the failure rate"
    select = _command(group, "select", selection.select, text)
    select.add_argument(
        "pool",
        type=Path,
        metavar="POOL",
        help="recorded answers or scores (what `curator score` reads or writes), or a run folder",
    )
    select.add_argument("--k", type=_count, metavar="K", help="cases to select (default: `selection.k`, 100)")
    select.add_argument(
        "--out", type=Path, metavar="DIR", default=selection.DEFAULT_OUT, help=f"default: {selection.DEFAULT_OUT}"
    )
    select.add_argument(
        "--config", type=Path, metavar="CONFIG", help="a job to take `selection:` and `labelling:` from"
    )
    select.add_argument("--strategy", choices=STRATEGY_NAMES, help="how discovery chooses (default: the config's)")
    select.add_argument(
        "--random-share", type=_part, metavar="SHARE", help="the part of K that is drawn at random, 0 to 1"
    )
    select.add_argument("--seed", type=int, metavar="N", help="fixes the random part (default: the config's, 0)")
    select.add_argument(
        "--after", type=Path, metavar="DIR", help="an earlier selection of this pool, whose labels are known by now"
    )
    select.add_argument(
        "--labels",
        nargs="+",
        action="extend",
        metavar="FILE",
        default=[],
        help="the labels of that one (default: its label_queue.csv)",
    )
    select.add_argument("--no-embedding", action="store_true", help="use no vectors: tell only near-duplicates apart")
    _scoring_arguments(select)
    select.add_argument("--quiet", action="store_true", help="no progress, which goes to stderr")


def _add_estimate(group: _Commands) -> None:
    text = "say how often production fails, from the labels of a selection, with an interval"
    estimate = _command(group, "estimate", selection.estimate, text)
    estimate.add_argument(
        "labels",
        nargs="+",
        metavar="LABELS",
        help="the filled-in label queue, or JSONL or CSV rows of `id` with `wrong`, `verdict` or `label`",
    )
    estimate.add_argument(
        "--selection", type=Path, metavar="DIR", help="the selection or run folder (default: where LABELS is)"
    )
    estimate.add_argument(
        "--sample-of",
        type=_positive,
        metavar="N",
        help="there is no selection: LABELS is a simple random sample of N cases, with `wrong` or `verdict`",
    )
    estimate.add_argument(
        "--by",
        nargs="+",
        action="extend",
        metavar="FIELD",
        default=[],
        help="break down by these: task, kind, category, a field of the metadata (default: all)",
    )
    estimate.add_argument(
        "--confidence", type=_share, metavar="P", default=0.95, help="of the intervals (default: 0.95)"
    )
    estimate.add_argument(
        "--half-width", type=_share, metavar="W", help="also say how many more labels an interval of ±W takes"
    )
    _scoring_arguments(estimate)


def _add_leaks(group: _Commands) -> None:
    text = "find training rows that ask what is held out; exit code 3 if there are any"
    leaks = _command(group, "leaks", commands.leaks, text)
    leaks.add_argument("train", type=Path, metavar="TRAIN", help="what would be trained on: JSONL or CSV, of any shape")
    leaks.add_argument(
        "held_out",
        type=Path,
        metavar="EVAL",
        help="what is held out: an eval set, JSONL or CSV, or the registry of held-out cases (held_out.sqlite)",
    )
    leaks.add_argument("--train-key", metavar="KEY", help="the key or column of the question in TRAIN (default: found)")
    leaks.add_argument("--eval-key", metavar="KEY", help="the key or column of the question in EVAL (default: found)")
    leaks.add_argument(
        "--no-embedding", action="store_true", help="do not look for paraphrases, which takes a model and time"
    )
    leaks.add_argument(
        "--similarity",
        type=float,
        metavar="COSINE",
        help="the cosine of a paraphrase without numbers or names (default: as `held_out.paraphrase_similarity`)",
    )
    leaks.add_argument("--out", type=Path, metavar="FILE", help="write every leak with its evidence, as JSONL")
    leaks.add_argument("--clean", type=Path, metavar="FILE", help="write TRAIN without the leaks, else byte for byte")
    leaks.add_argument("--quiet", action="store_true", help="no progress, which goes to stderr (with --json as JSON)")


def _add_compare(group: _Commands) -> None:
    text = "say which of several prompts or models is better on one eval set, and how sure that is"
    compare = _command(group, "compare", evaluating.compare, text, exit_codes=COMPARE_EXIT_CODES)
    compare.add_argument(
        "results",
        nargs="+",
        metavar="RESULTS",
        help="JSONL or CSV rows of `id` with `score` (0..1), `passed` or `wrong`, one file a system or one for all"
        " (with `system`, `model` or `prompt`), or with a column for each system",
    )
    against = compare.add_mutually_exclusive_group()
    against.add_argument("--baseline", metavar="SYSTEM", help="compare the others with this one (default: all pairs)")
    against.add_argument(
        "--fail-if-worse", metavar="SYSTEM", help="as --baseline, and exit with 3 if one is significantly worse"
    )
    compare.add_argument("--confidence", type=_share, default=0.95, metavar="SHARE", help="default: 0.95")
    compare.add_argument(
        "--power", type=_share, default=0.8, metavar="SHARE", help="for the labels still needed (default: 0.8)"
    )
    compare.add_argument(
        "--detect", type=_share, metavar="DIFFERENCE", help="the difference they are for (default: what was seen)"
    )
    _results_arguments(compare)


def _add_distil(group: _Commands) -> None:
    text = "choose the K cases of an eval set whose weighted score stands for all of it"
    distil = _command(group, "distil", evaluating.distil, text)
    distil.add_argument(
        "results",
        nargs="+",
        metavar="RESULTS",
        help="scores of several systems for the cases, as `curator compare` reads them; may be the eval set itself",
    )
    distil.add_argument("--k", type=_positive, required=True, metavar="K", help="how many cases to keep")
    distil.add_argument("--out", type=Path, metavar="FILE", help="where the chosen rows go (default: nowhere)")
    distil.add_argument("--seed", type=int, default=0, metavar="N", help="of what is drawn by chance (default: 0)")
    _results_arguments(distil)


def _results_arguments(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--eval",
        metavar="EVAL_SET",
        help="the eval set: its rows, with their weights, probabilities and strata (default: what the results say)",
    )
    made.add_argument(
        "--by", nargs="+", action="extend", metavar="KEY", default=[], help="the keys of a row that name its system"
    )


def _scoring_arguments(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--equivalence",
        choices=["lexical", "embedding", "nli"],
        default="lexical",
        help="what says which short answers and texts mean the same (default: lexical, which needs no model)",
    )
    made.add_argument("--nli-model", metavar="NAME", help="for `nli`: a folder, or a name at the model hub")
    made.add_argument("--equal-members", action="store_true", help="count every member the same, whatever its health")


def _add_doctor(group: _Commands) -> None:
    doctor = _command(group, "doctor", commands.doctor, "check endpoints, models, hashes, disk and versions")
    doctor.add_argument(
        "config",
        nargs="?",
        type=Path,
        metavar="CONFIG",
        help=f"also check what it needs (default: {DEFAULT_CONFIG}, if there)",
    )


def _add_init(group: _Commands) -> None:
    init = _command(group, "init", commands.init, "write a config, prompts and a sample log into a folder")
    init.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="default: this folder")


def _add_cache(group: _Commands) -> None:
    text = "look after the store of paid-for answers"
    inner = group.add_parser("cache", help=text, description=text[0].upper() + text[1:] + ".").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    _store_command(inner, "list", cache.list_models, "say what is stored of each model, and what it cost")
    prune = _store_command(inner, "prune", cache.prune, "delete stored answers; asked for again, they cost again")
    prune.add_argument("--model", metavar="NAME", help="only those of this model, as `cache list` names it")
    prune.add_argument("--older-than", type=_days, metavar="DAYS", help="only those older than this many days")
    prune.add_argument(
        "--key", nargs="+", action="extend", metavar="HEX", default=[], help="only those with these keys"
    )
    prune.add_argument("--dry-run", action="store_true", help="say what would go, and delete nothing")
    export = _store_command(inner, "export", cache.export, "write every stored answer as a line of JSON")
    export.add_argument("--out", type=Path, metavar="ANSWERS.jsonl", help="where they go (default: stdout)")
    _store_command(inner, "verify", cache.verify, "check the file and every answer in it; exit code 1 if one is bad")


def _command(
    group: _Commands, name: str, call: object, text: str, *, exit_codes: str = EXIT_CODES
) -> argparse.ArgumentParser:
    made = group.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".",
        epilog=exit_codes, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    made.add_argument("--json", action="store_true", help="one JSON object on stdout, for machines")
    made.set_defaults(command=call)
    return made


def _job_arguments(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "config", nargs="?", type=Path, default=DEFAULT_CONFIG, metavar="CONFIG", help=f"default: {DEFAULT_CONFIG}"
    )
    made.add_argument(
        "--logs",
        nargs="+",
        action="extend",
        metavar="PATH",
        default=[],
        help="files, folders or globs, instead of the config's",
    )
    made.add_argument("--quiet", action="store_true", help="no progress, which goes to stderr (with --json as JSON)")


def _store_command(group: _Commands, name: str, call: object, text: str) -> argparse.ArgumentParser:
    made = _command(group, name, call, text, exit_codes=CACHE_EXIT_CODES)
    made.add_argument("--store", type=Path, metavar="PATH", help="the store (default: the config's)")
    made.add_argument(
        "--config",
        type=Path,
        metavar="CONFIG",
        help=f"the config that names the store (default: {DEFAULT_CONFIG}, if there)",
    )
    return made


def _dollars(text: str) -> float:
    return _at_least_zero(text, "dollars")


def _days(text: str) -> float:
    return _at_least_zero(text, "days")


def _at_least_zero(text: str, unit: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of {unit}")
    return number


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share between 0 and 1")
    return number


def _part(text: str) -> float:
    return float(text) if text.strip() in ("0", "1", "0.0", "1.0") else _share(text)


def _count(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)
