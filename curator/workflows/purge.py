"""`curator purge`: remove a person's cases and answers from everything that curator keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from curator.config import Config
from curator.errors import ConfigError, LogsError, RecordError
from curator.exporters import EVAL_SET
from curator.io.atomic import run_lock
from curator.io.json_rows import rows_of
from curator.labels import queues_in
from curator.labels.queue_files import is_worked_in
from curator.labels.queue_hashes import remember_as_written
from curator.readers.read import read
from curator.records import Case, JsonValue, hashed_id
from curator.records.result import Result
from curator.run_folder.layout import CASES, MERGED, RECORDED
from curator.run_folder.loop_folder import LOOPS, POOL, loop_folder
from curator.run_folder.purge import Person, PurgedFile, long_texts, purge_folder
from curator.stages.redact import Redaction
from curator.state.draws import purge_draws
from curator.state.paths import RUNS, StatePaths
from curator.state.pseudonyms import PseudonymMap, read_pseudonyms
from curator.state.purge import purge_answers, purge_refusals, purge_registry
from curator.text.display import plural
from curator.workflows.inputs import PathLike, config_from

_Row = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class PurgeResult(Result):
    """The data that was removed from each place, or would be.

    `left` names what stays and why, `cases` are the ids of the cases that were found.
    """

    cases: tuple[str, ...]
    removed: tuple[tuple[str, str], ...]
    left: tuple[str, ...]
    dry_run: bool

    def to_dict(self) -> dict[str, JsonValue]:
        """The places for machines."""
        places: list[JsonValue] = [{"place": place, "removed": what} for place, what in self.removed]
        return {"cases": list(self.cases), "removed": places, "left": list(self.left), "dry_run": self.dry_run}

    def to_text(self) -> str:
        """The places for people."""
        verb = "would be removed" if self.dry_run else "removed"
        lines = [f"{plural(len(self.cases), 'case')} found"]
        lines += [f"  {place}: {what} {verb}" for place, what in self.removed]
        lines += [f"  not removed: {sentence}" for sentence in self.left]
        return "\n".join(lines)


@dataclass(slots=True)
class _PersonCases:
    """The person's cases, and the texts of theirs and of the others."""

    ids: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    rows: list[_Row] = field(default_factory=list)
    others: list[_Row] = field(default_factory=list)

    def texts(self) -> frozenset[str]:
        """The long texts of the person that no other case has."""
        return frozenset(_texts(self.rows)) - frozenset(_texts(self.others))

    def answers(self) -> set[str]:
        """The answers to the person's cases that no other case got."""
        return set(_answers(self.rows)) - set(_answers(self.others))


def purge(
    config: Config | PathLike, *, ids: Sequence[str] = (), users: Sequence[str] = (), dry_run: bool = False
) -> PurgeResult:
    """Remove the cases of people and all answers to them, from state files and run folders.

    A case that represents records of several people is removed as a whole. The logs themselves are not changed.

    Args:
        config: the job, or the path of its file.
        ids: case ids, or ids of log records.
        users: user ids as the logs have them, or their hashes.
        dry_run: say what would be removed, and remove nothing.

    Raises:
        ConfigError: neither an id nor a user is given.
        RunLocked: a run is working on one of the folders.
        StorageError: a file cannot be written.
    """
    if not ids and not users:
        raise ConfigError("nothing says whose cases should go", remedy="add --id ID or --user USER")
    config = config_from(config)
    paths = StatePaths.of(config)
    folders = _run_folders(config, paths)
    redaction = Redaction(config, paths)
    theirs, left = _PersonCases(), []
    wanted = {*ids, *map(redaction.redactor.text, ids)}
    # The hashes in run folders of earlier versions have no key.
    hashes = {*users, *map(hashed_id, users), *map(redaction.hashed_id, users)}
    _search_folders(folders, wanted, hashes, theirs)
    try:
        _search_logs(config, redaction, wanted, hashes, theirs)
    except (LogsError, ConfigError) as error:
        left.append(f"what only the logs could show ({error.what})")
    _search_folders(folders, wanted | theirs.ids, hashes, theirs)
    _read_rows(folders, theirs)
    with ExitStack() as locks:
        for folder in folders if not dry_run else ():
            locks.enter_context(run_lock(folder))
        removed = tuple(_remove(folders, paths, theirs, dry_run=dry_run))
    left += _left(config, theirs)
    return PurgeResult(tuple(sorted(theirs.ids)), removed, tuple(left), dry_run)


def _run_folders(config: Config, paths: StatePaths) -> list[Path]:
    """Return the folders of runs and loops beside the config, and those that it names."""
    folders = {path for parent in (RUNS, LOOPS) for path in (config.folder / parent).glob("*")}
    return sorted(path for path in {*folders, paths.run_folder, loop_folder(config).path} if path.is_dir())


def _search_folders(
    folders: Iterable[Path], wanted: Collection[str], hashes: Collection[str], theirs: _PersonCases
) -> None:
    """Find cases by the rows of run folders, and what was merged into them."""
    for row in (*_rows(folders, CASES.name), *_rows(folders, POOL.name)):
        if {row.get("id"), row.get("log_id")} & set(wanted) or row.get("user_id") in hashes:
            theirs.ids.add(str(row["id"]))
            theirs.sources.add(str(row.get("source") or ""))
            if row.get("log_id"):
                theirs.names.add(str(row["log_id"]))
    for row in _rows(folders, EVAL_SET.file_name):
        if row.get("id") in wanted or row.get("user_id") in hashes:
            theirs.ids.add(str(row["id"]))
    for row in _rows(folders, MERGED.name):
        if row.get("id") in wanted or row.get("id") in theirs.ids:
            theirs.ids |= {str(row["id"]), str(row["into"])}


def _search_logs(
    config: Config, redaction: Redaction, wanted: Collection[str], hashes: Collection[str], theirs: _PersonCases
) -> None:
    """Find cases by the records of the logs, where they are still there."""
    if not config.logs.paths:
        return
    for record in read(config.logs):
        if not isinstance(record, Case):
            continue
        case = redaction.redactor.case(redaction.keyed(record)).value
        if {record.log_id, case.log_id, case.id} & set(wanted) or case.user_id in hashes:
            theirs.ids.add(case.id)
            theirs.sources.add(str(case.source))
            theirs.names |= {case.log_id} if case.log_id else set()
            texts: list[JsonValue] = [m.content for m in case.messages if m.role != "system"]
            texts += [case.target, *((case.feedback.comment, case.feedback.correction) if case.feedback else ())]
            theirs.rows.append({"id": case.id, "input": texts})


def _read_rows(folders: Iterable[Path], theirs: _PersonCases) -> None:
    for row in (*_rows(folders, RECORDED.name), *_rows(folders, POOL.name)):
        (theirs.rows if row.get("id") in theirs.ids else theirs.others).append(row)


def _rows(folders: Iterable[Path], name: str) -> Iterator[_Row]:
    for path in (path for folder in folders for path in sorted(folder.rglob(name))):
        try:
            yield from (row for row in rows_of(path, _as_row) if row)
        except RecordError as error:
            raise LogsError(error.reason, remedy=error.remedy) from error


def _as_row(row: object) -> _Row:
    return row if isinstance(row, dict) else {}


def _texts(rows: Iterable[_Row]) -> Iterator[str]:
    for row in rows:
        messages = row.get("input")
        asked: JsonValue = messages
        if isinstance(messages, list):
            asked = [m for m in messages if not (isinstance(m, dict) and m.get("role") == "system")]
        yield from long_texts(
            [asked, row.get("target"), row.get("reference"), row.get("generations"), row.get("left_out")]
        )


def _answers(rows: Iterable[_Row]) -> Iterator[str]:
    for row in rows:
        for key in ("generations", "left_out"):
            items = row.get(key)
            for item in items if isinstance(items, list) else ():
                if isinstance(item, dict) and isinstance(item.get("text"), str):
                    yield str(item["text"])


def _remove(
    folders: Iterable[Path], paths: StatePaths, theirs: _PersonCases, *, dry_run: bool
) -> Iterator[tuple[str, str]]:
    """Remove everything, and yield each place with what went."""
    if not theirs.ids:
        return
    person = Person(frozenset(theirs.ids | theirs.names), theirs.texts())
    yield from _remove_rows(paths, theirs, dry_run=dry_run)
    pseudonyms = _pseudonyms(paths, theirs)
    if pseudonyms:
        if not dry_run:
            with PseudonymMap(paths.pseudonyms) as file:
                file.remove(pseudonyms)
        yield str(paths.pseudonyms), plural(len(pseudonyms), "pseudonym")
    for path, what in _whole_files(paths, person):
        if not dry_run:
            path.unlink()
        yield str(path), what
    for folder in folders:
        untouched = [queue for queue in queues_in(folder) if not is_worked_in(queue)]
        for purged in purge_folder(folder, person, dry_run=dry_run):
            yield str(purged.path), _what(purged)
        for queue in untouched if not dry_run else ():
            remember_as_written(queue)


def _whole_files(paths: StatePaths, person: Person) -> Iterator[tuple[Path, str]]:
    """Yield the state files that go as a whole."""
    if paths.vectors.exists():
        yield paths.vectors, "the cache of all vectors (the next run computes it again)"
    for path in paths.every_categories():
        if person.is_in_bytes(path.read_bytes()):
            yield path, "the categories of earlier nights, which quote a case,"


def _remove_rows(paths: StatePaths, theirs: _PersonCases, *, dry_run: bool) -> Iterator[tuple[str, str]]:
    """Remove rows of the store and of the registry, and yield what went."""
    if answers := purge_answers(paths.store, theirs.answers(), dry_run=dry_run):
        yield str(paths.store), plural(answers, "answer")
    if refusals := purge_refusals(paths.store, dry_run=dry_run):
        what = plural(refusals, "refusal")
        yield str(paths.store), f"{what}, whose reasons may quote a prompt (the next run asks again),"
    if cases := purge_registry(paths.registry, theirs.ids, dry_run=dry_run):
        yield str(paths.registry), plural(cases, "case")
    for path in paths.every_draws():
        if cases := purge_draws(path, theirs.ids, dry_run=dry_run):
            yield str(path), plural(cases, "case")


def _what(purged: PurgedFile) -> str:
    if purged.rows is None:
        return "the whole file (run again to make it without the case)"
    return plural(purged.rows, "row")


def _pseudonyms(paths: StatePaths, theirs: _PersonCases) -> list[str]:
    """The pseudonyms that only the person's cases hold."""
    mine, others = str(theirs.rows), str(theirs.others)
    return [name for name in read_pseudonyms(paths.pseudonyms) if name in mine and name not in others]


def _left(config: Config, theirs: _PersonCases) -> Iterator[str]:
    places = sorted(theirs.sources - {""})
    if places:
        shown = ", ".join(places[:5]) + (", ..." if len(places) > 5 else "")
        yield f"the records in the logs ({shown}): delete them there, or the next run reads them again"
    if config.labels:
        yield f"labels in {', '.join(config.labels)}: the files are yours"
    if theirs.ids:
        yield "answers of runs whose folder is gone: `curator cache prune --older-than DAYS` deletes old ones"
