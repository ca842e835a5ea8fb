"""The page of a loop: learning curve, hours and price, the rule to stop, confirmation bias.

It is one HTML file without a script: its content security policy allows no request.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from curator.progress import span
from curator.records.loop import LoopRound, SavedLabels
from curator.report import loop_bias
from curator.report.curve_chart import Chart, ChartPoint, curve_chart
from curator.report.format import NO_DATA, count
from curator.report.static_page import page_environment
from curator.text.display import money, one_line, plural

_WIDE, _NARROW = (1000, 400), (340, 300)
"""The sizes of the chart in pixels, on a desktop and on a phone; scaled to a phone, the text of the wide one cannot be read."""
_WIDE_TICKS, _NARROW_TICKS = (9, 8), (5, 6)
_NAME_LENGTH, _SENTENCE_LENGTH = 120, 1200
_UNKNOWN = "not known"
_HOUR = 3600.0


def loop_page(
    name: str,
    rounds: Sequence[LoopRound],
    control: Sequence[LoopRound],
    *,
    saved: SavedLabels | None,
    waiting: str = "",
    power: str = "",
    warnings: Sequence[str] = (),
) -> str:
    """Return the whole page. The template engine escapes every text.

    Args:
        name: of the loop.
        rounds: that have ended; () before the first has.
        control: the rounds of the random arm; () without one.
        saved: the share of labels that the loop saves at the last score of the random arm; None where it cannot be determined.
        waiting: the state of the round that waits for labels, in a sentence; "" where none does.
        power: the smallest gain that the held-out set can show, in a sentence; "" where there are rounds.
        warnings: sentences on what to know before relying on the figures.
    """
    return (
        page_environment("curator.report")
        .get_template("loop.html.j2")
        .render(
            name=one_line(name, _NAME_LENGTH),
            rounds=rounds,
            control=control,
            tiles=tiles(rounds, control, saved),
            charts=charts(rounds, control) if rounds or control else (),
            curve_sentence=curve_sentence(rounds, control),
            curve=curve_rows(rounds, control),
            price=price_rows(rounds),
            views=[(done.number, _sentence(done.view)) for done in rounds],
            waiting=_sentence(waiting),
            power=_sentence(power),
            warnings=[_sentence(warning) for warning in warnings],
            left_out=left_out(rounds),
            bias=loop_bias,
            production=rounds[-1].production if rounds else None,
            saved_sentence=saved_sentence(control, saved),
            score=score,
        )
    )


def score(share: float) -> str:
    """Return a share with one digit, so that a gain of a point is seen."""
    return f"{share:.1%}"


def tiles(
    rounds: Sequence[LoopRound], control: Sequence[LoopRound], saved: SavedLabels | None
) -> list[tuple[str, str]]:
    """Return the figures of the first screen with their names."""
    if not rounds:
        return []
    last = rounds[-1]
    figures = [
        (score(last.score), f"right on held-out cases ({score(last.low)} to {score(last.high)}, n={count(last.held_out)})"),
        (count(last.training_labels), "training labels"),
        (count(last.labels), "labels in all, those of the held-out set included"),
        (hours(sum(done.label_s for done in rounds)), "of labelling"),
        (_price([done.usd for done in rounds]), f"for {plural(len(rounds), 'training')}"),
    ]  # fmt: skip
    if last.production is not None:
        figures.insert(1, (score(last.production), "of the same cases are answered rightly by production"))
    if control:
        figures.append((NO_DATA if saved is None else saved_share(saved), "labels saved against the random arm"))
    return figures


def saved_sentence(control: Sequence[LoopRound], saved: SavedLabels | None) -> str:
    """Return the saving against the random arm in words; without one, the way to measure it."""
    if not control:
        return (
            "No random arm was run, so the labels that the choice saves are not measured. Where labels for all cases exist,"
            " `curator loop --simulate --control` runs one."
        )
    last = control[-1]
    target = (
        f"the last score of the random arm ({score(last.score)} with {plural(last.training_labels, 'training label')})"
    )
    if saved is None:
        return f"Labels saved: {NO_DATA}, as the loop has not reached {target}."
    noise = "The interval is over samples of the held-out cases; another random arm would differ, too."
    return f"Labels saved to reach {target}: {saved_share(saved)}. {noise}"


def saved_share(saved: SavedLabels) -> str:
    """Return the share of labels saved with its interval."""
    low = "possibly none" if saved.low is None else f"{saved.low:.0%}"
    return f"{saved.share:.0%} (95%: {low} to {saved.high:.0%})"


def charts(rounds: Sequence[LoopRound], control: Sequence[LoopRound]) -> tuple[Chart, Chart]:
    """Return the chart of both arms in its wide and its narrow form."""
    curves = [
        (kind, [_point(kind, done) for done in arm]) for kind, arm in (("random arm", control), ("loop", rounds)) if arm
    ]
    level = rounds[-1].production if rounds else None
    wide, narrow = (
        curve_chart(curves, level=level, width=size[0], height=size[1], most_ticks=ticks)
        for size, ticks in ((_WIDE, _WIDE_TICKS), (_NARROW, _NARROW_TICKS))
    )
    return wide, narrow


def _point(kind: str, done: LoopRound) -> ChartPoint:
    title = f"{kind}, round {done.number}: {_with_interval(done)} with {plural(done.training_labels, 'training label')}"
    return ChartPoint(done.training_labels, done.score, done.low, done.high, title)


def curve_sentence(rounds: Sequence[LoopRound], control: Sequence[LoopRound]) -> str:
    """Return the chart in words, for those who do not see it."""
    arms = [f"{kind}: {_ends(arm)}" for kind, arm in (("loop", rounds), ("random arm", control)) if arm]
    return f"Score on held-out cases over training labels. {'; '.join(arms)}. The table below has every figure."


def _ends(arm: Sequence[LoopRound]) -> str:
    ends = [f"{score(done.score)} with {plural(done.training_labels, 'label')}" for done in arm]
    return ends[0] if len(ends) == 1 else f"from {ends[0]} to {ends[-1]}"


def curve_rows(rounds: Sequence[LoopRound], control: Sequence[LoopRound]) -> list[tuple[str, ...]]:
    """Return the figures of the chart as a table, its head first."""
    head = ("round", "training labels", "loop: right (95% interval)", "held-out cases", "gain (95% interval)")
    ours, random = ({done.number: done for done in arm} for arm in (rounds, control))
    rows = []
    for number in sorted(ours | random):
        done = ours.get(number)
        cells = (
            ("-",) * 4
            if done is None
            else (count(done.training_labels), _with_interval(done), count(done.held_out), gain(done))
        )
        rows.append((str(number), *cells, *((_random_cell(random.get(number), done),) if control else ())))
    return [(*head, *(("random arm: right (95% interval)",) if control else ())), *rows]


def gain(done: LoopRound) -> str:
    """Return the gain over the round before, in points; `-` for the first round."""
    if done.gain is None:
        return "-"
    if done.gain_low is None or done.gain_high is None:
        return f"{100 * done.gain:+.1f}"
    return f"{100 * done.gain:+.1f} ({100 * done.gain_low:+.1f} to {100 * done.gain_high:+.1f})"


def _random_cell(random: LoopRound | None, done: LoopRound | None) -> str:
    if random is None:
        return "-"
    same = done is not None and done.training_labels == random.training_labels
    return _with_interval(random) + ("" if same else f", {plural(random.training_labels, 'label')}")


def price_rows(rounds: Sequence[LoopRound]) -> list[tuple[str, ...]]:
    """Return labels, hours and price of each round as a table, its head first."""
    head = (
        "round", "new labels", "without an answer", "labels in all", "labelling", "labelling in all",
        "training", "price", "price in all",
    )  # fmt: skip
    labels = [0, *(done.labels for done in rounds)]
    seconds = list(accumulate(done.label_s for done in rounds))
    rows = [
        (
            str(done.number), count(done.labels - before), count(done.undecided), count(done.labels),
            hours(done.label_s), hours(in_all),
            span(done.training_s), _price([done.usd]), _price([other.usd for other in rounds[: place + 1]]),
        )
        for place, (done, before, in_all) in enumerate(zip(rounds, labels, seconds, strict=False))
    ]  # fmt: skip
    return [head, *rows]


def hours(seconds: float) -> str:
    """Return a time of labelling: hours with one digit, and shorter ones in minutes."""
    return f"{seconds / _HOUR:,.1f} h" if seconds >= _HOUR else span(seconds)


def left_out(rounds: Sequence[LoopRound]) -> list[str]:
    """Return sentences on the labels and the answers that do not count, with the reasons."""
    sentences = []
    if undecided := sum(done.undecided for done in rounds):
        sentences.append(
            f"{plural(undecided, 'labelled case')} of all rounds without an answer: the annotators could not say."
        )
    if rounds and (cases := rounds[-1].undecidable):
        answers = plural(cases + rounds[-1].held_out, "held-out answer")
        sentences.append(
            f"{count(cases)} of {answers} of the last model cannot be compared with the label, as free text in other words may say the"
            " same. The score leaves them out."
        )
    if rounds:
        sentences += [
            f"{plural(cases, 'labelled case')} not trained on in the last round: {_sentence(reason)}."
            for reason, cases in rounds[-1].excluded.items()
        ]
    return sentences


def _price(amounts: Sequence[float | None]) -> str:
    """Return the sum of amounts; the least that it is where some are not known."""
    total = sum(amount or 0.0 for amount in amounts)
    if None not in amounts:
        return money(total)
    return f"at least {money(total)}" if total else _UNKNOWN


def _with_interval(done: LoopRound) -> str:
    return f"{score(done.score)} ({score(done.low)} to {score(done.high)})"


def _sentence(text: str) -> str:
    return one_line(text, _SENTENCE_LENGTH)
