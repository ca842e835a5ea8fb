"""Registries: entries of one kind by name, built in or added by other packages.

A registry is an immutable mapping from a name to an entry, `READERS` for one. Other packages add entries with an entry point
in the registry's group:

    [project.entry-points."curator.readers"]
    my-format = "my_package.reader:READER"

Entry points are looked up when a name is not built in or when all entries are listed, so that start-up does not pay for them. One
that cannot be loaded, or is not an entry of the right type, is left out and named in `broken`; it disturbs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from curator.errors import ConfigError

E = TypeVar("E")
FindEntryPoints = Callable[[str], Iterable[EntryPoint]]


def _installed(group: str) -> Iterable[EntryPoint]:
    return entry_points(group=group)


class Registry(Mapping[str, E], Generic[E]):
    """The entries of one kind, by name: the built-in ones, then those of other packages.

    Args:
        noun: the word for one entry in messages, such as "reader".
        entry_type: the class that every entry is an instance of.
        built_in: the entries of `curator` itself; a plugin never replaces one.
        group: the entry-point group; None where other packages cannot add entries.
        find: looks up the entry points of a group; tests give their own.
    """

    def __init__(
        self,
        noun: str,
        entry_type: type[E],
        built_in: Mapping[str, E],
        *,
        group: str | None = None,
        find: FindEntryPoints = _installed,
    ) -> None:
        self.noun = noun
        self.group = group
        self.built_in: Mapping[str, E] = dict(built_in)
        self._entry_type = entry_type
        self._find = find

    @cached_property
    def _plugins(self) -> tuple[dict[str, E], dict[str, str]]:
        """Load the entries of other packages, and the reason for each one that is broken."""
        entries: dict[str, E] = {}
        broken: dict[str, str] = {}
        for point in sorted(self._find(self.group), key=lambda p: p.name) if self.group else ():
            try:
                entry = point.load()
            except Exception as error:  # noqa: BLE001  a plugin may fail in any way; it must not end the run
                broken[point.name] = f"{point.value} cannot be loaded ({type(error).__name__}: {error})"
                continue
            if not isinstance(entry, self._entry_type):
                broken[point.name] = f"{point.value} is a {type(entry).__name__}, not a {self._entry_type.__name__}"
            elif point.name in self.built_in or point.name in entries:
                broken[point.name] = f"{point.value} has the name of another {self.noun}"
            else:
                entries[point.name] = entry
        return entries, broken

    @property
    def broken(self) -> Mapping[str, str]:
        """The reason why each broken entry was left out, by its name."""
        return self._plugins[1]

    def __getitem__(self, name: str) -> E:
        if name in self.built_in:
            return self.built_in[name]
        return self._plugins[0][name]

    def __iter__(self) -> Iterator[str]:
        yield from self.built_in
        yield from self._plugins[0]

    def __len__(self) -> int:
        return len(self.built_in) + len(self._plugins[0])

    def require(self, name: str, *, where: str) -> E:
        """Return the entry of a name that the user gave.

        Raises:
            ConfigError: there is none; the message lists the names, or says why the plugin of that name is broken.
        """
        if name in self:
            return self[name]
        if name in self.broken:
            raise ConfigError(
                f"{where}: the {self.noun} {name!r} is broken: {self.broken[name]}",
                remedy=f"fix or remove the package that provides it in the entry-point group {self.group!r}",
            )
        raise ConfigError(f"{where}: unknown {self.noun} {name!r}", remedy=f"choose one of: {', '.join(self)}")
