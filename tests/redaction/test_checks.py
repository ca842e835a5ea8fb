"""Forms of values that tell secrets from words."""

from __future__ import annotations

import pytest

from curator.redaction.checks import looks_random


@pytest.mark.parametrize(
    "name", ["outputContentType", "messageGroupIdentifier", "getUserAccountBalance", "CustomerOrderLineId"]
)
def test_a_name_of_code_is_not_random(name: str) -> None:
    assert not looks_random(name)


@pytest.mark.parametrize("value", ["aGdXbQwRtYpLkMnB", "x7Gf2kQ9ZbT4mW1s", "outputContentTypeX7f3Kq9"])
def test_a_drawn_value_is_random(value: str) -> None:
    assert looks_random(value)
