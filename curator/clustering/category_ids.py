"""Ids of categories, made from what they are."""

from __future__ import annotations

import hashlib


def category_id(*signature: str) -> str:
    """Return the id of a category: a hash of its task and its difference."""
    digest = hashlib.sha256("\x1f".join(signature).encode("utf-8", "surrogatepass"))
    return f"category-{digest.hexdigest()[:8]}"
