"""Which near-duplicate groups are held out: evaluated on, never trained on."""

from __future__ import annotations

from curator.records import Split, stable_unit

SALT = "held-out"


def split_of(group: str, held_out_share: float, *, salt: str = SALT) -> Split:
    """The split of a near-duplicate group: `eval` for the held-out share, else `train`.

    It hangs on the group's name alone: the same in every run, round and machine, whatever else is in the pool. A group
    that is held out at one share is held out at every larger one.
    """
    return "eval" if stable_unit(salt, group) < held_out_share else "train"
