"""Held-out splits by the registry of all runs, and training data without held-out questions."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from curator.config import Config
from curator.contamination.match import Embed, find_leaks
from curator.contamination.questions import held_texts, questions_of, rows_of, templates_of
from curator.contamination.records import HeldText, Match, TrainingRow
from curator.contamination.wording import WordingIndex
from curator.exporters.trusted_targets import trainable_cases
from curator.readers.hints import listed
from curator.records import Case, Split, stable_unit
from curator.run_folder.layout import LEAKS
from curator.selection.splits import SALT, split_of
from curator.stages.ingest import IngestResult
from curator.state.registry import Entry, HeldOutRegistry, by_split
from curator.text.display import one_line, plural
from curator.text.shingles import shared_sentences, split_templates, turns_text, without_sentences
from curator.text.slots import has_own_words

_SPLITS: tuple[Split, ...] = ("eval", "train")
_MOSTLY = 0.5
_NAME_LIMIT = 60
_FEWEST_FOR_SHARES = 20
"""Of fewer cases the held-out share is far from what the config says anyway."""
_MANY_LEAKS = 0.2
"""Above this share of leaks among the training candidates a warning says how to hold out less."""


@dataclass(frozen=True, slots=True)
class HoldoutSplit:
    """The split of each near-duplicate group, and the training candidates that leak.

    Attributes:
        share: the held-out share of the groups that the registry does not settle.
        settled: the split of each group that holds a registered case, or a near-duplicate of one.
        leaks: training candidates that ask a held-out question; they are left out.
        exported_before: the ids of the leaks that an earlier run exported, before the question was held out.
        candidates: the number of cases to export if there were no leaks.
        mixed: the number of groups with both held-out cases and exported ones.
        groups: the number of cases of each near-duplicate group.
        trainable: the number of cases with a trusted answer, held out or not.
        templated: the number of cases that differ from others only in the values of a template.
        kept_open: groups that are not held out, though their names say so: earlier nights and other jobs hold the share already.
        trained_on: the ids of cases of an earlier eval set that a run exported for training.
        by_others: the names of the jobs that settled a group, by group, where this job would have decided otherwise.
        held_by: the name of the job that holds a question, by its case id, for the leaks.
        exported_by: the names of the jobs that exported the `exported_before`, sorted.
    """

    share: float
    settled: Mapping[str, Split] = field(default_factory=dict)
    leaks: tuple[Match, ...] = ()
    exported_before: frozenset[str] = frozenset()
    candidates: int = 0
    mixed: int = 0
    groups: Mapping[str, int] = field(default_factory=dict)
    trainable: int = 0
    templated: int = 0
    kept_open: frozenset[str] = frozenset()
    trained_on: frozenset[str] = frozenset()
    by_others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held_by: Mapping[str, str] = field(default_factory=dict)
    exported_by: tuple[str, ...] = ()

    def split_of(self, group: str) -> Split:
        """Return the split of a near-duplicate group: the settled one, else by its name."""
        if group in self.kept_open:
            return "train"
        return self.settled.get(group) or split_of(group, self.share)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on mixed groups, cases exported before, and many leaks."""
        warnings = [*self._empty_sides(), *self._large_group(), *self._other_jobs()]
        if self.templated > _MOSTLY * sum(self.groups.values()):
            warnings.append(
                f"{self.templated:,} of {plural(sum(self.groups.values()), 'case')} fill in a template. By their wording they are"
                " one near-duplicate group, held out all together or not; they are told apart by their values"
            )
        if self.mixed:
            warnings.append(
                f"{plural(self.mixed, 'near-duplicate group')} with both cases that are held out and cases that an earlier run"
                " exported for training; they are held out from now on, and what was trained with them is not clean"
            )
        if self.exported_before:
            warnings.append(
                f"{plural(len(self.exported_before), 'case')} that an earlier run exported for training{_by(self.exported_by)} ask what"
                " is held out now;"
                f" `exported_before` marks them in {LEAKS}"
            )
        if len(self.leaks) > _MANY_LEAKS * self.candidates:
            warnings.append(
                f"{len(self.leaks):,} of {plural(self.candidates, 'training candidate')} ask what is held out{_by(self._holders())} ({LEAKS}): where"
                " much traffic asks the same, lower `selection.held_out_share` or raise"
                " `held_out.paraphrase_similarity`"
            )
        return tuple(warnings)

    def _empty_sides(self) -> Iterator[str]:
        """Yield a sentence where nothing is held out, or nothing is left to train on."""
        held = sum(size for group, size in self.groups.items() if self.split_of(group) == "eval")
        cases = sum(self.groups.values())
        why = "they are one near-duplicate group, which is never divided"
        if len(self.groups) > 1:
            why = f"so the {len(self.groups):,} near-duplicate groups fell, which are never divided"
        anew = "with another file as `held_out: {registry: ...}`"
        if self.trainable and not self.candidates and held:
            yield (
                f"no training data: {plural(self.trainable, 'case')} with a trusted answer, all held out ({why}); add logs with"
                f" other questions, or train on all of them: `selection: {{held_out_share: 0}}` {anew}"
            )
        if cases and not held and self.share > 0:
            yield (
                f"no eval set: none of {plural(cases, 'case')} is held out ({why}); add logs with other questions, or hold all of"
                f" them out: `selection: {{held_out_share: 1}}` {anew}"
            )

    def _holders(self) -> tuple[str, ...]:
        """Return the names of the jobs that hold what the leaks ask, sorted."""
        return tuple(sorted({self.held_by[match.held] for match in self.leaks if match.held in self.held_by}))

    def _other_jobs(self) -> Iterator[str]:
        """Yield a sentence on what other jobs hold that this one would have split otherwise."""
        cases = Counter(
            (jobs, self.settled[group]) for group, jobs in self.by_others.items() for _ in range(self.groups[group])
        )
        for (jobs, split), number in sorted(cases.items()):
            holds = "held out" if split == "eval" else "training data, exported before"
            yield (
                f"{plural(number, 'case')} {'is' if number == 1 else 'are'} {holds}{_by(jobs)}, so for this job, too: they share a registry"
                " of held-out cases. Give this job a file of its own as `held_out: {registry: ...}`, unless a model is trained on the data"
                " of one job and evaluated on another's"
            )

    def _large_group(self) -> Iterator[str]:
        """Yield a sentence where one group is larger than the side that it is not on."""
        cases = sum(self.groups.values())
        group, size = max(self.groups.items(), key=lambda item: item[1], default=("", 0))
        is_held = self.split_of(group) == "eval"
        room = self.share if is_held else 1 - self.share
        if cases >= _FEWEST_FOR_SHARES and 0 < self.share < 1 and max(room, _MOSTLY) * cases < size < cases:
            side = "held out" if is_held else "open for training"
            yield (
                f"{size:,} of {plural(cases, 'case')} are one near-duplicate group ({group}), which is {side} as a whole, so that"
                f" the held-out share is not {self.share:.0%}; if they ask different things, raise `dedupe.group_similarity`"
                " with another file as `held_out: {registry: ...}`, else add logs with other questions"
            )


def _by(jobs: Sequence[str]) -> str:
    """Name jobs, as the end of a clause; "" for none."""
    if not jobs:
        return ""
    return f" by the {'job' if len(jobs) == 1 else 'jobs'} {listed([one_line(job, _NAME_LIMIT) for job in jobs])}"


def _within_share(split: HoldoutSplit) -> frozenset[str]:
    """Return the groups to leave open, because registered cases fill the held-out share.

    Without this the share only grows: the group of a returning question is named after another record each night, and each
    name is another draw. Groups come in the order of their hashes, so that a repeated run decides as before. A night
    without registered held-out cases is split by the names alone.
    """
    held = sum(size for group, size in split.groups.items() if split.settled.get(group) == "eval")
    if not held:
        return frozenset()
    left = split.share * sum(split.groups.values()) - held
    new = [g for g in split.groups if g not in split.settled and split_of(g, split.share) == "eval"]
    new.sort(key=lambda group: (stable_unit(SALT, group), group))
    for place, group in enumerate(new):
        left -= split.groups[group]
        if left < 0:
            return frozenset(new[place:])
    return frozenset()


def assign_splits(
    config: Config, intake: IngestResult, registry: HeldOutRegistry, *, eval_set: Sequence[Case] = ()
) -> HoldoutSplit:
    """Settle the split of every near-duplicate group, and register what is held out.

    A group takes the split of the registered case that it holds or is near-duplicate to; held out wins over trained on.
    Every other group is split by its name, as long as the held-out share is not reached. All cases of the eval split are registered, selected or not: a later night may
    select them, and what is cheap to keep out now cannot be taken out of a trained model then. The cases of an earlier `eval_set`
    are held out, even if the registry is another one.
    """
    groups = {case.id: case.group for case in intake.cases}
    groups |= {merged.id: groups[merged.into] for merged in intake.merged if merged.into in groups}
    templates = registry.templates() | _templates(intake.cases)
    texts = _own_texts(intake.cases, templates)
    settled_ids = {entry.id for entry in registry.entries()[0]}
    unsettled = [case for case in eval_set if case.id not in settled_ids]
    registry.add(_entries(unsettled, "eval", config, unsettled, _own_texts(unsettled, templates)))
    entries, last = registry.entries()
    votes = [*_votes(config, entries, groups, texts)]
    with registry.transaction():
        votes += _votes(config, registry.entries(after=last)[0], groups, texts)
        jobs: defaultdict[tuple[str, Split], set[str]] = defaultdict(set)
        for group, split, job in votes:
            jobs[group, split].add(job)
        settled: dict[str, Split] = {group: "train" for group, split in jobs if split == "train"}
        settled |= {group: "eval" for group, split in jobs if split == "eval"}
        mixed = sum((group, "train") in jobs and (group, "eval") in jobs for group in settled)
        guarded = HoldoutSplit(
            config.selection.held_out_share,
            settled,
            mixed=mixed,
            groups=Counter(case.group for case in intake.cases),
            templated=sum(not has_own_words(text) for text in texts.turns.values()),
            trained_on=_trained_on(eval_set, entries, groups, settled),
            by_others={
                group: tuple(sorted(jobs[group, split]))
                for group, split in settled.items()
                if config.name not in jobs[group, split] and split != split_of(group, config.selection.held_out_share)
            },
        )
        guarded = replace(guarded, kept_open=_within_share(guarded))
        held = [case for case in intake.cases if guarded.split_of(case.group) == "eval"]
        registry.add_templates(templates)
        registry.add(_entries(held, "eval", config, intake.asked, texts))
    return guarded


def exclude_leaks(
    guarded: HoldoutSplit, config: Config, intake: IngestResult, registry: HeldOutRegistry, *, embed: Embed | None
) -> HoldoutSplit:
    """Leave training candidates out that ask a held-out question, and register the others.

    The whole near-duplicate group of a leak is left out. Cases that other runs registered in the meantime count: the last look
    and the registration are one transaction.
    """
    candidates = trainable_cases(
        intake.cases, split_of_group=guarded.split_of, trusted_models=config.outputs.trusted_models
    )
    trainable = trainable_cases(
        intake.cases, split_of_group=lambda _: "train", trusted_models=config.outputs.trusted_models
    )
    if not trainable:
        return guarded
    guarded = replace(guarded, trainable=len(trainable))
    if not candidates:
        return guarded
    templates = registry.templates() | _templates(intake.cases)
    rows = _rows(intake.cases, candidates, templates)
    texts = _own_texts(intake.cases, templates)
    entries, last = registry.entries()
    leaks = _leaks(rows, by_split(entries, "eval"), config, templates, embed)
    with registry.transaction():
        newer, _ = registry.entries(after=last)
        leaking = {match.row for match in leaks}
        rest = [row for row in rows if row.id not in leaking]
        leaks = _with_groups([*leaks, *_leaks(rest, by_split(newer, "eval"), config, templates, embed)], candidates)
        leaking = {match.row for match in leaks}
        clear = [case for case in candidates if case.id not in leaking]
        registry.add(_entries(clear, "train", config, intake.asked, texts))
    every = {entry.id: entry for entry in [*entries, *newer]}
    exported = {i: every[i].run for i in leaking if i in every and every[i].split == "train"}
    return replace(
        guarded,
        leaks=leaks,
        candidates=len(candidates),
        exported_before=frozenset(exported),
        held_by={match.held: every[match.held].run for match in leaks if match.held in every},
        exported_by=tuple(sorted(set(exported.values()))),
    )


def leaks_among(
    candidates: Sequence[Case], cases: Sequence[Case], config: Config, registry: HeldOutRegistry, *, embed: Embed | None
) -> tuple[Match, ...]:
    """Return the candidates that ask a held-out question; nothing is registered."""
    templates = registry.templates() | _templates(cases)
    rows = _rows(cases, candidates, templates)
    leaks = _leaks(rows, by_split(registry.entries()[0], "eval"), config, templates, embed)
    return _with_groups(leaks, candidates)


def _rows(cases: Sequence[Case], candidates: Sequence[Case], templates: frozenset[str]) -> list[TrainingRow]:
    """Return the questions of the candidates, without what all cases share."""
    wanted = {case.id for case in candidates}
    asked = [questions_of(case) for case in cases]
    return [row for row in rows_of(asked, templates=templates) if row.id in wanted]


def _with_groups(leaks: Sequence[Match], candidates: Sequence[Case]) -> tuple[Match, ...]:
    """Add the near-duplicates of each leak, with its evidence."""
    leak_of = {match.row: match for match in leaks}
    by_group: dict[str, Match] = {}
    for case in candidates:
        if case.id in leak_of:
            by_group.setdefault(case.group, leak_of[case.id])
    matches = ((case, leak_of.get(case.id) or by_group.get(case.group)) for case in candidates)
    return tuple(
        match if match.row == case.id else replace(match, row=case.id, question=case.user)
        for case, match in matches
        if match is not None
    )


@dataclass(frozen=True, slots=True)
class _Texts:
    """All turns, and the last question, by case id; both without the templates."""

    turns: Mapping[str, str]
    questions: Mapping[str, str]
    templates: frozenset[str]


def _templates(cases: Sequence[Case]) -> frozenset[str]:
    """Return the sentences that many of the cases share word for word."""
    return shared_sentences([turns_text(case) for case in cases]) | templates_of([questions_of(case) for case in cases])


def _own_texts(cases: Sequence[Case], templates: frozenset[str]) -> _Texts:
    # the texts that near-duplicate groups are made of
    texts_left = split_templates([turns_text(case) for case in cases], templates=templates)
    turns = {case.id: text.text for case, text in zip(cases, texts_left, strict=True)}
    asked = [questions_of(case) for case in cases]
    return _Texts(turns, {text.id: text.text for text in held_texts(asked, templates=templates)}, templates)


def _votes(
    config: Config, entries: Sequence[Entry], groups: Mapping[str, str], texts: _Texts
) -> Iterator[tuple[str, Split, str]]:
    """Yield group, split and job for each registered case of a group, or near-duplicate of one."""
    yield from ((groups[e.id], e.split, e.run) for e in entries if e.id in groups)
    for split in _SPLITS:
        mine = by_split(entries, split)
        if not mine:
            continue
        registered = {e.id: e.run for e in mine}
        rows = [TrainingRow(case_id, (text,), "") for case_id, text in texts.turns.items() if case_id not in registered]
        held = [HeldText(e.id, without_sentences(e.turns, texts.templates)) for e in mine]
        wording = WordingIndex(held, similarity=config.dedupe.same_group, permutations=config.dedupe.permutations)
        yield from ((groups[i], split, registered[match.held]) for i, match in wording.find(rows).items())


def _leaks(
    rows: Sequence[TrainingRow],
    entries: Sequence[Entry],
    config: Config,
    templates: frozenset[str],
    embed: Embed | None,
) -> tuple[Match, ...]:
    held = [HeldText(entry.id, without_sentences(entry.question, templates)) for entry in entries]
    meant = [text for text, entry in zip(held, entries, strict=True) if entry.asked]
    return find_leaks(rows, held, meant=meant, dedupe=config.dedupe, rules=config.held_out, embed=embed)


def _trained_on(
    eval_set: Sequence[Case], entries: Sequence[Entry], groups: Mapping[str, str], settled: Mapping[str, Split]
) -> frozenset[str]:
    """Return the cases of the eval set that were exported for training and are not held out."""
    exported = {entry.id for entry in by_split(entries, "train")}
    return frozenset(
        case.id for case in eval_set if case.id in exported and settled.get(groups.get(case.id, "")) != "eval"
    )


def _entries(
    cases: Sequence[Case], split: Split, config: Config, asked_cases: Sequence[Case], texts: _Texts
) -> list[Entry]:
    asked = {case.id for case in asked_cases}
    now = time.time()
    return [
        Entry(
            case.id,
            split,
            case.group,
            texts.questions[case.id],
            texts.turns[case.id],
            case.id in asked,
            config.name,
            now,
        )
        for case in cases
    ]
