"""Which near-duplicate groups are held out: evaluated on, never trained on."""

from __future__ import annotations

from curator.records import Split, stable_unit

SALT = "held-out"


def split_of(group: str, held_out_share: float, *, salt: str = SALT) -> Split:
    """The split of a near-duplicate group: `eval` for the held-out share, else `train`.

    It hangs on the group's name alone, on every machine and in every run in which the group has that name: as long as the
    records it was named after are still in the logs. A group that is held out at one share is held out at every larger one.
    """
    return "eval" if stable_unit(salt, group) < held_out_share else "train"
