"""The form of a label server: an entry of LABEL_SERVERS."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from curator.errors import ConfigError, MissingDependency, ProviderError
from curator.labels.queue import QueueRow
from curator.labels.returned import ReturnedRow
from curator.text.display import one_line

_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a job's queue on a server.

    Attributes:
        name: of the job; names of projects begin with it.
        address: the address of the server.
        keys: the secrets, by the environment variable that holds them; they are never shown or written.
        adjudication: the queue holds the cases that people disagree on, which have a place of their own.
    """

    name: str
    address: str
    keys: Mapping[str, str] = field(repr=False)
    adjudication: bool = False


@dataclass(frozen=True, slots=True)
class Pushed:
    """The outcome of a push: numbers of cases.

    Attributes:
        places: the addresses where people label.
        created: cases that the server did not have.
        updated: cases without a label whose content changed.
        unchanged: cases that the server already has like this.
        kept: cases that people have judged and whose content has changed since; they stay as they were judged.
        notes: sentences for the user.
    """

    places: tuple[str, ...]
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pulled:
    """The outcome of a pull.

    Attributes:
        places: the addresses that the labels come from.
        rows: every judgement, in any order; several of one person on one case where that person judged it again. Rows without
            a case or a judgement are left out afterwards, and counted.
        notes: sentences for the user.
    """

    places: tuple[str, ...]
    rows: tuple[ReturnedRow, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelServer:
    """A program that people label with over the network, reached by its own SDK.

    Attributes:
        name: the value of `--to` and `--from`.
        description: one line for the documentation.
        package: the module of its SDK.
        extra: the extra of curator that installs the SDK.
        address: the environment variable that holds its address.
        default_address: the address without that variable; "" if there is none.
        keys: the environment variables that hold its secrets.
        push: puts the rows of a label queue there. A second time it updates cases, and never doubles one.
        pull: fetches every judgement.
    """

    name: str
    description: str
    package: str
    extra: str
    address: str
    default_address: str
    keys: tuple[str, ...]
    push: Callable[[Sequence[QueueRow], Place], Pushed]
    pull: Callable[[Place], Pulled]

    def place(
        self, name: str, environment: Mapping[str, str], *, address: str | None = None, adjudication: bool = False
    ) -> Place:
        """Return the place of a job, with the address and the keys of the environment.

        Raises:
            ConfigError: the address or a key is missing.
            MissingDependency: the SDK is not installed.
        """
        where = address or environment.get(self.address) or self.default_address
        if not where:
            raise ConfigError(
                f"the address of {self.name} is not known", remedy=f"set {self.address}, or name it with --url"
            )
        missing = [key for key in self.keys if not environment.get(key)]
        if missing:
            raise ConfigError(
                f"no key for {self.name}: {' and '.join(missing)} must be set in the environment",
                remedy=f"make an API key in {self.name}, and export it: export {missing[0]}=...",
            )
        if importlib.util.find_spec(self.package) is None:
            raise MissingDependency(
                f"the SDK of {self.name} is not installed",
                remedy=f"install it: pip install 'committee-curator[{self.extra}]'",
            )
        keys = {key: environment[key] for key in self.keys}
        return Place(name, where.rstrip("/"), keys, adjudication=adjudication)


def refusal(server: str, place: Place, error: Exception, *, status: int | None = None) -> ProviderError:
    """Return the error for a server that cannot be reached or refuses, without its keys."""
    reason = str(error)
    for secret in place.keys.values():
        reason = reason.replace(secret, "***")
    reason = one_line(reason, _LONGEST_REASON)
    if status in (401, 403):
        return ProviderError(
            f"{server} at {place.address!r} refuses the key of {' and '.join(place.keys)} ({status}): {reason}",
            remedy="set a key that is valid there, of a person who may change the project",
        )
    if status is None:
        return ProviderError(
            f"{server} at {place.address!r} cannot be reached: {reason}",
            remedy="check that the server runs, and its address; the same command goes on from there",
        )
    return ProviderError(
        f"{server} at {place.address!r} refuses ({status}): {reason}",
        remedy="see the log of the server; the same command goes on from there",
    )


def not_pushed(server: str, place: Place, sought: str) -> ConfigError:
    """Return the error for a pull of a queue that was never pushed."""
    return ConfigError(
        f"{server} at {place.address!r} has no {sought}",
        remedy=f"push the queue first (curator labels push RUN --to {server}), or name the job with --project",
    )
