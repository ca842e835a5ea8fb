"""The result of `curator loop`: how far it is, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from curator.records import JsonValue, RejectedRecord
from curator.records.loop import LoopRound, SavedLabels, WaitingRound
from curator.records.result import TableResult
from curator.report.loop_page import saved_share
from curator.run_folder.layout import LABEL_PAGE
from curator.run_folder.loop_folder import LOOP_REPORT
from curator.text.display import money, plural

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class LoopResult(TableResult):
    """The state of a loop.

    Attributes:
        folder: of the loop.
        config: the path of the config as the user named it, for the next command.
        rounds: those that have ended.
        control: the rounds of the random arm; () without one.
        waiting: the round that waits for labels; None where the loop has ended, or no round has begun.
        saved: the share of labels that the loop saves at the last score of the random arm; None where it cannot be told.
        power: what the held-out set can show, in a sentence; "" once rounds have ended.
        understood: the formats and keys of the logs, in the call that reads them.
        warnings: what to know before relying on it.
        rejected: log records that could not be read, in the call that reads them; `set_aside.jsonl` keeps them.
    """

    folder: Path
    config: str
    rounds: tuple[LoopRound, ...] = ()
    control: tuple[LoopRound, ...] = ()
    waiting: WaitingRound | None = None
    saved: SavedLabels | None = None
    power: str = ""
    understood: str = ""
    warnings: tuple[str, ...] = field(default=())
    rejected: tuple[RejectedRecord, ...] = field(default=())

    warnings_in_text = True

    @property
    def ended(self) -> bool:
        """True where a rule has ended the loop."""
        return bool(self.rounds and self.rounds[-1].stop)

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the figures for machines."""
        waiting: JsonValue = None
        if self.waiting:
            waiting = orjson.loads(orjson.dumps(asdict(self.waiting), default=str))
        rounds, control = (orjson.loads(orjson.dumps(part)) for part in (self.rounds, self.control))
        return {
            "folder": str(self.folder),
            "ended": self.ended,
            "stop": self.rounds[-1].stop if self.rounds else None,
            "rounds": rounds,
            "control": control,
            "labels_saved": asdict(self.saved) if self.saved else None,
            "waiting": waiting,
            "power": self.power,
            "understood": self.understood,
            "warnings": list(self.warnings),
            "rejected": self.rejected_rows(),
        }

    def table_rows(self) -> list[dict[str, object]]:
        """Return one row a round."""
        return [asdict(round_) for round_ in self.rounds]

    def to_text(self) -> str:
        """Return the figures for people."""
        return "\n".join([*self._lines(), *(f"warning: {warning}" for warning in self.warnings)])

    def _lines(self) -> Iterator[str]:
        yield from filter(None, [self.understood])
        if self.rounds:
            yield from _table(self.rounds)
            last = self.rounds[-1]
            hours = sum(done.label_s for done in self.rounds) / _HOUR
            yield (
                f"{plural(last.labels, 'label')}, about {hours:.1f} hours of labelling;"
                f" training {money(sum(done.usd or 0.0 for done in self.rounds))}"
            )
            if last.production is not None:
                yield f"production answers {last.production:.1%} of the same held-out cases rightly"
            yield last.view
            yield f"{LOOP_REPORT.of(self.folder)}  <- the learning curve"
        if self.control:
            yield from self._control_lines()
        if self.power:
            yield self.power
        if self.waiting:
            if self.rounds or self.power:
                yield ""
            yield from _waiting_lines(self.waiting, self.config)

    def _control_lines(self) -> Iterator[str]:
        yield ""
        yield "random arm, with the same number of labels:"
        yield from _table(self.control)
        if self.saved is not None:
            yield f"labels saved at the last score of the random arm: {saved_share(self.saved)}"
        else:
            yield "labels saved: not enough data, as the loop has not reached the last score of the random arm"


def _table(rounds: tuple[LoopRound, ...]) -> Iterator[str]:
    yield "  round  training labels  right on held-out cases (95% interval)"
    for done in rounds:
        yield f"  {done.number:>5}  {done.training_labels:>15,}  {done.score:.1%} ({done.low:.1%} to {done.high:.1%}), n={done.held_out}"


def waiting_sentence(waiting: WaitingRound) -> str:
    """Return the number of labels that have come back, in words."""
    back = waiting.cases - waiting.missing
    return f"round {waiting.number}: {back:,} of {plural(waiting.cases, 'label')} have come back"


def _waiting_lines(waiting: WaitingRound, config: str) -> Iterator[str]:
    yield waiting_sentence(waiting)
    if waiting.incomplete:
        yield (
            f"  {waiting.incomplete:,} judged wrong without the right answer: write it in `label`, so that the answers of models can be"
            " compared with it"
        )
    yield from (f"  note: {note}" for note in waiting.notes)
    yield f"{LABEL_PAGE.of(waiting.folder)}  <- label the cases here, or in the label queue beside it, then:"
    yield f"curator round {config}"
