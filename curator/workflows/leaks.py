"""`curator leaks`: find training rows that ask a held-out question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curator.config import DedupeConfig, EmbeddingConfig, HeldOutConfig
from curator.contamination import match as matching
from curator.contamination.match import Embed
from curator.contamination.questions import example_turns, rows_of, templates_of
from curator.contamination.records import IN_WORDS, KINDS, Match, MatchKind
from curator.encoders.sentence import Encoder, embed, open_encoder
from curator.errors import ConfigError, ExitCode
from curator.exporters import EVAL_SET, OPENAI_CHAT
from curator.io.atomic import json_lines, write_atomic
from curator.progress import Progress, Silent
from curator.records import JsonValue, RejectedRecord
from curator.records.result import TableResult, renamed, warn_of_old_name
from curator.state.paths import DEFAULT_VECTORS
from curator.state.vectors import VectorCache
from curator.text.display import plural
from curator.workflows.inputs import HasFolder
from curator.workflows.question_sets import (
    QuestionSet,
    Records,
    lines_without,
    read_held_out,
    read_question_set,
    too_many_unreadable,
)

EXAMPLES = 3
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Leak:
    """A training row that asks a held-out question: its first line, and the evidence."""

    line: int
    match: Match

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the row of `--out`."""
        m = self.match
        return {
            "line": self.line,
            "held_out": m.held,
            "kind": m.kind,
            "similarity": m.similarity,
            "shared": list(m.shared),
            "text": m.question,
            "held_out_text": m.held_text,
        }


@dataclass(frozen=True, slots=True)
class LeakResult(TableResult):
    """The training rows that ask a held-out question.

    Attributes:
        leaks: the rows that leak, in the order of the file.
        rows: training rows that could be read.
        held: held-out questions that they were checked against.
        rejected: records of either file that could not be read.
        embedding: whether paraphrases were looked for.
        too_many_unreadable: more than a fifth of the records of one of the files could not be read, or all.
        out: where the leaks were written; None for nowhere.
        clean: where the training file without them was written; None for nowhere.
        notes: sentences about how the files were read, such as a guessed encoding.
    """

    leaks: tuple[Leak, ...]
    rows: int
    held: int
    rejected: tuple[RejectedRecord, ...] = field()
    embedding: bool
    too_many_unreadable: bool = False
    out: Path | None = None
    clean: Path | None = None
    notes: tuple[str, ...] = ()

    unreadable = renamed("unreadable", "rejected")

    @property
    def by_kind(self) -> dict[MatchKind, int]:
        """The number of leaks of each kind, 0 included."""
        counts = Counter(leak.match.kind for leak in self.leaks)
        return {kind: counts[kind] for kind in KINDS}

    @property
    def exit_code(self) -> ExitCode:
        """6 if too little could be read to say anything, 3 if there are leaks, else 0."""
        if self.too_many_unreadable:
            return ExitCode.UNREADABLE
        return ExitCode.GATE_FAILED if self.leaks else ExitCode.DONE

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        return {
            "rows": self.rows,
            "held_out": self.held,
            "leaks": len(self.leaks),
            "by_kind": {str(kind): count for kind, count in self.by_kind.items()},
            "embedding": self.embedding,
            "examples": [leak.to_dict() for leak in self._examples()],
            "unreadable": [f"{u.source}: {u.reason} -> {u.remedy}" for u in self.rejected],
            "rejected": self.rejected_rows(),
            "out": str(self.out) if self.out else None,
            "clean": str(self.clean) if self.clean else None,
            "notes": list(self.notes),
        }

    def table_rows(self) -> list[dict[str, JsonValue]]:
        """Return one row a leak."""
        return [leak.to_dict() for leak in self.leaks]

    def to_text(self) -> str:
        """Return the figures for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        share = f" ({len(self.leaks) / self.rows:.1%})" if self.rows else ""
        yield f"{len(self.leaks):,} of {plural(self.rows, 'training row')}{share} ask one of {plural(self.held, 'held-out question')}"
        for kind, count in self.by_kind.items():
            off = kind == "paraphrase" and not self.embedding
            yield f"  {kind:<12} {'not looked for' if off else f'{count:,}':>14}  {IN_WORDS[kind]}"
        for leak in self._examples():
            m = leak.match
            yield f"\nline {leak.line:,}, {m.kind} {m.similarity:.2f}" + (
                f", both have {', '.join(m.shared)}" if m.shared else ""
            )
            yield f"  train     {_short(m.question)}"
            yield f"  held out  {_short(m.held_text)}  ({m.held})"
        if self.rejected:
            yield f"\n{plural(len(self.rejected), 'record')} could not be read and were not checked"
        yield from self.notes
        if self.out:
            yield f"\n{self.out}  every leak with its evidence"
        if self.clean:
            yield f"{self.clean}  the training file without them"

    def _examples(self) -> Iterator[Leak]:
        for kind in KINDS:
            yield from [leak for leak in self.leaks if leak.match.kind == kind][:EXAMPLES]


def find_leaks(  # noqa: PLR0913  the options of the command
    train: Records | HasFolder,
    held_out: Records | HasFolder,
    *,
    train_key: str | None = None,
    eval_key: str | None = None,
    embedding: bool = True,
    paraphrase_similarity: float | None = None,
    out: str | Path | None = None,
    clean: str | Path | None = None,
    encoder: Encoder | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> LeakResult:
    """Find the training rows that ask a held-out question.

    Args:
        train: a JSONL or CSV file, a run (its `finetune.jsonl`), or records or texts.
        held_out: a JSONL or CSV file, a run (its `eval_set.jsonl`), records or texts, or the registry (`held_out.sqlite`).
        train_key: the key of the question in `train`; detected by default.
        eval_key: the key of the question in `held_out`; detected by default.
        embedding: also look for paraphrases, which needs an encoder and takes time.
        paraphrase_similarity: the cosine from which questions are paraphrases; that of `held_out.paraphrase_similarity` by
            default.
        out: the file to write every leak to with its evidence, JSON lines.
        clean: the file to write `train` to without the leaking rows, the other lines byte for byte.
        encoder: turns questions into vectors, instead of the bundled model.
        cache: the file that keeps vectors; `.curator/vectors.sqlite` by default.
        progress: receives the progress of the work; silent by default.

    Raises:
        LogsError: a file does not exist, or nothing in it can be read.
        ConfigError: `out` or `clean` is one of the files that are read.
    """
    train, held_out = _of_run(train, OPENAI_CHAT.file_name), _of_run(held_out, EVAL_SET.file_name)
    _check_outputs(train, held_out, out, clean)
    rows = read_question_set(train, train_key, "training")
    held = read_held_out(held_out, eval_key)
    examples = example_turns(
        [q.case for q in (*rows.questions, *held.questions)], held=[q.case for q in held.questions]
    )
    asked = [question.asked(examples=examples) for question in rows.questions]
    texts, templates = held.texts(examples, templates_of(asked))
    rules = HeldOutConfig() if paraphrase_similarity is None else _rules(paraphrase_similarity)
    checked = rows_of(asked, templates=templates)
    with _embedding(encoder, cache, progress or Silent(), wanted=embedding) as vectors:
        matches = matching.find_leaks(checked, texts, dedupe=DedupeConfig(), rules=rules, embed=vectors)
    result = LeakResult(
        leaks=tuple(Leak(int(match.row), match) for match in matches),
        rows=len(asked),
        held=len(texts),
        rejected=(*rows.unreadable, *held.unreadable),
        embedding=embedding,
        too_many_unreadable=too_many_unreadable(rows) or too_many_unreadable(held),
        out=Path(out) if out else None,
        clean=Path(clean) if clean else None,
        notes=(*rows.notes, *held.notes),
    )
    _write_outputs(result, train, rows)
    return result


def _write_outputs(result: LeakResult, train: Records, rows: QuestionSet) -> None:
    if result.out:
        write_atomic(result.out, json_lines(leak.to_dict() for leak in result.leaks))
    if result.clean and isinstance(train, str | Path):
        write_atomic(result.clean, lines_without(Path(train), rows, {leak.line for leak in result.leaks}))


def leaks(train: Records, held_out: Records, **options: Any) -> LeakResult:  # noqa: ANN401  those of `find_leaks`
    """Find leaks: the old name of `find_leaks`, kept for one release."""
    warn_of_old_name("leaks", "find_leaks")
    return find_leaks(train, held_out, **options)


def _of_run(records: Records | HasFolder, file_name: str) -> Records:
    """Return the file of a run that holds such records; other records as they are."""
    if isinstance(records, HasFolder):
        return records.folder / file_name
    if isinstance(records, str | Path) and (Path(records) / file_name).is_file():
        return Path(records) / file_name
    return records


def _rules(similarity: float) -> HeldOutConfig:
    low = HeldOutConfig.model_fields["paraphrase_similarity"].metadata[0].ge
    if not low <= similarity <= 1.0:
        raise ConfigError(f"the similarity of paraphrases is {similarity}", remedy=f"give a number from {low} to 1")
    return HeldOutConfig(paraphrase_similarity=similarity)


@contextmanager
def _embedding(
    encoder: Encoder | None, cache: str | Path | None, progress: Progress, *, wanted: bool
) -> Iterator[Embed | None]:
    if not wanted:
        yield None
        return
    opened = encoder or open_encoder(EmbeddingConfig())
    with VectorCache(Path(cache) if cache else DEFAULT_VECTORS) as kept:
        yield lambda texts: embed(texts, opened, kept, progress=progress)


def _check_outputs(train: Records, held_out: Records, out: str | Path | None, clean: str | Path | None) -> None:
    if clean is not None and not isinstance(train, str | Path):
        raise ConfigError(
            "`clean` copies a file, and `train` is in memory", remedy="drop the rows that `leaks` names by line"
        )
    outputs = [Path(path) for path in (out, clean) if path is not None]
    inputs = [Path(records) for records in (train, held_out) if isinstance(records, str | Path)]
    if len(outputs) > len({path.resolve() for path in outputs}):
        raise ConfigError(
            f"{str(outputs[0])!r} is named twice, for the leaks and for the file without them",
            remedy="give `out` and `clean` names of their own",
        )
    for path in outputs:
        if any(path.exists() and other.exists() and path.samefile(other) for other in inputs):
            raise ConfigError(f"{str(path)!r} would be replaced while it is read", remedy="give it another name")


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "…"
