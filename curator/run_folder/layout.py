"""The files that `curator` writes for itself into a run or selection folder.

Each one has its name and a line that says what it holds. Label queues are named in `labels.queue`, exports in `exporters`. Documentation tables are made from these descriptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curator.io.manifest import MANIFEST_NAME


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file of a run or selection folder, described in one line."""

    name: str
    description: str

    def __str__(self) -> str:
        """Return the name, for messages."""
        return self.name

    def of(self, folder: Path) -> Path:
        """Return the path of the file in a folder."""
        return folder / self.name


REPORT_HTML = RunFile("report.html", "the report; open this first")
LABEL_PAGE = RunFile("label.html", "the label page: the label queue in a browser, case by case")
REPORT_MARKDOWN = RunFile("report.md", "the report as Markdown, for a pull request or a terminal")
SUMMARY = RunFile("summary.json", "every figure of the report, for programs")
SELECTION = RunFile("selection.jsonl", "a selected case: slice, stage, stratum, inclusion probability and draw order")
DESIGN = RunFile("design.json", "the strata that the cases were drawn from, for `curator estimate`")
CASES = RunFile(
    "cases.jsonl",
    "a kept case: weight, group, split, score, category and diagnosis, and all that production answered to its question",
)
CATEGORIES = RunFile(
    "categories.jsonl",
    "a category of failures: sentence, sides, labels, failure rate, diagnosis, and the ids of its cases",
)
RECORDED = RunFile("recorded.jsonl", "a case with its generations, as `curator score` reads them")
LEAKS = RunFile("leaks.jsonl", "a training candidate that asks a held-out question, with the evidence")
MERGED = RunFile("merged.jsonl", "a log record that a kept case represents")
SET_ASIDE = RunFile("set_aside.jsonl", "a log record that could not be read, with the reason and the remedy")
SET_ASIDE_FAILED = RunFile(
    "set_aside.failed.jsonl", "the same, only after a run that failed because too much of its logs could not be read"
)
EARLIER_LABELS = RunFile("labels/earlier.jsonl", "the labels of the rounds before this selection")
EVAL_SET_CHANGES = RunFile(
    "eval_set.changes.jsonl",
    "a change of the eval set: a case added, its label changed (from, to), or removed with the reason; by round",
)
STATUS = RunFile("status.json", "the progress of the run, for `curator status`")
MANIFEST = RunFile(
    MANIFEST_NAME, "what repeats the run: config, versions, prices, counts, file hashes, and why it stopped early"
)

FILES = (
    REPORT_HTML, LABEL_PAGE, REPORT_MARKDOWN, SUMMARY, SELECTION, DESIGN, CASES, CATEGORIES, RECORDED, LEAKS, MERGED, SET_ASIDE,
    SET_ASIDE_FAILED, EARLIER_LABELS, EVAL_SET_CHANGES, STATUS, MANIFEST,
)  # fmt: skip
"""All of them, in the order in which documentation lists them."""
