"""The split of each near-duplicate group: held out for evaluation, or open for training."""

from __future__ import annotations

from curator.records import Split, stable_unit

SALT = "held-out"


def split_of(group: str, held_out_share: float, *, salt: str = SALT) -> Split:
    """The split of a near-duplicate group: `eval` for the held-out share, else `train`.

    It depends only on the group's name: it is the same on every machine and in every run, as long as the record that the
    group is named after is in the logs. A group that is held out at one share is held out at every larger share.
    """
    return "eval" if stable_unit(salt, group) < held_out_share else "train"
