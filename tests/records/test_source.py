"""The place of a record reads back as it was written."""

from __future__ import annotations

import pytest

from curator.records import Source


@pytest.mark.parametrize(
    "source",
    [
        Source("a.jsonl", 3),
        Source("logs/a b.jsonl", 3, 2),
        Source("C:/x:7", 3, 2, 1),
        Source("", 0),
        Source("a\nb", 12),
    ],
)
def test_a_place_reads_back(source: Source) -> None:
    assert Source.parse(str(source)) == source


def test_another_text_is_a_file() -> None:
    assert Source.parse("from elsewhere") == Source("from elsewhere", 0)
