"""The result of `curator run`: its figures for people and for machines."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from curator.labels.batches import Workload
from curator.records import JsonValue, RejectedRecord
from curator.records.result import Result
from curator.report.category_text import category_line
from curator.report.score_quality import quality_sentences, slice_counts
from curator.report.summary import Summary
from curator.report.summary_cases import CategorySummary
from curator.report.trends import since_last_night
from curator.run_folder.categories import CategoryRow
from curator.run_folder.layout import LABEL_PAGE, REPORT_HTML
from curator.stages.ingest import ingest_lines
from curator.text.display import money, plural
from curator.workflows.categories import read_categories

SHOWN_CATEGORIES = 3
"""Categories that the text of a run names, those with most expected failures."""


@dataclass(frozen=True, slots=True)
class RunResult(Result):
    """A finished run.

    Attributes:
        folder: where its files are.
        summary: the content of `summary.json`.
        sent: the requests that this run sent.
        from_store: the answers that earlier runs had stored.
        labels: the labels that were used.
        warnings: what to know before relying on the result.
        workload: what it takes to label the queue.
        rejected: the log records that could not be read.
        understood: the formats of the log files and the keys that were not used.
        eval_set: the sentence on what this run changed in the eval set of earlier ones; "" for nothing.
        spent_usd: what this run paid, in US dollars; `summary.committee.cost_usd` is the cost of all answers.
    """

    folder: Path
    summary: Summary = field(repr=False)
    sent: int
    from_store: int
    labels: int
    warnings: tuple[str, ...] = field()
    workload: Workload | None = None
    rejected: tuple[RejectedRecord, ...] = field(default=(), repr=False)
    spent_usd: float = 0.0
    understood: str = ""
    eval_set: str = ""

    warnings_in_text = True

    @property
    def categories(self) -> tuple[CategoryRow, ...]:
        """The categories of failures with the ids of their cases, read from `categories.jsonl`.

        Raises:
            LogsError: the file is gone or damaged.
        """
        return read_categories(self.folder)

    def to_dict(self) -> dict[str, JsonValue]:
        """The figures for machines; everything else is in `summary.json`."""
        c = self.summary.counts
        return {
            "folder": str(self.folder), "read": c.read, "cases": c.kept, "merged": c.merged_exact + c.merged_near,
            "set_aside": c.set_aside, "asked": c.asked, "sent": self.sent, "from_store": self.from_store,
            "labels": self.labels, "spent_usd": self.spent_usd, "cost_usd": self.summary.committee.cost_usd,
            "categories": [_category_figures(category) for category in self.summary.categories],
            "labelling": asdict(self.workload) if self.workload else None,
            "selected": c.selected, "files": dict(self.summary.outputs), "warnings": list(self.warnings),
            "rejected": self.rejected_rows(),
        }  # fmt: skip

    def to_text(self) -> str:
        """The figures for people, and where to look first."""
        s, c = self.summary, self.summary.counts
        merged = c.merged_exact + c.merged_near
        adaptive = f" ({s.adaptive.calls_full:,} by the whole committee)" if s.adaptive else ""
        asked = plural(c.asked, "case")
        if s.committee.questions < c.asked:
            asked = f"{plural(s.committee.questions, 'question')} of {asked}"
        answers = (
            f"{plural(s.committee.generations, 'answer')} of {plural(len(s.committee.members), 'member')} to {asked}{adaptive}:"
            f" {plural(self.sent, 'request')} sent now, {plural(self.from_store, 'answer')} stored before"
        )
        selected = (
            f"{plural(len(s.top_categories), 'category', 'categories')}{since_last_night(s)}, {plural(c.selected, 'case')} selected"
            f" ({slice_counts(s.selection.by_slice)})"
        )
        lines = [
            *([self.understood] if self.understood else []),
            *ingest_lines(c.intake, c.read, c.kept, merged, c.set_aside),
            answers,
            *([self._cost_line()] if s.committee.cost_usd or self.spent_usd else []),
            selected,
            *(f"  {category_line(category)}" for category in s.top_categories[:SHOWN_CATEGORIES]),
            *([f"used {plural(self.labels, 'label')} that came back"] if self.labels else []),
            *([self.eval_set] if self.eval_set else []),
            *(quality_sentences(s.score_quality)[:1] if s.score_quality else ()),
            *([f"labelling: {self.workload.to_text()}"] if self.workload and self.workload.cases else []),
            "",
            f"{REPORT_HTML.of(self.folder)}  <- open this first",
            *(
                [f"{LABEL_PAGE.of(self.folder)}  <- judge the cases here"]
                if self.workload and self.workload.cases
                else []
            ),
            *(f"{self.folder / name}  {plural(rows, 'row')}" for name, rows in s.outputs.items()),
        ]
        return "\n".join([*lines, *(f"warning: {w}" for w in self.warnings)])

    def _cost_line(self) -> str:
        return f"this run spent {money(self.spent_usd)}; all answers that it used cost {money(self.summary.committee.cost_usd)}"


def _category_figures(category: CategorySummary) -> dict[str, JsonValue]:
    """Return a category for machines; `categories.jsonl` has the rest."""
    return {
        "id": category.id, "name": category.name, "sentence": category.sentence, "parent": category.parent,
        "cases": category.cases, "records": category.records, "expected_failures": category.expected_failures,
        "failure_rate": category.labels.rate.value, "against_target": category.against_target.value,
    }  # fmt: skip
