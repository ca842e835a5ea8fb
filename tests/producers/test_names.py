"""Names of people are found by a real pipeline of spaCy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.producers.conftest import Run

pytestmark = pytest.mark.producers
ROOT = Path(__file__).parents[2]


def test_names_that_spacy_finds_get_pseudonyms_of_the_same_form(run: Run, tmp_path: Path) -> None:
    run("names.txt", "names_of_spacy.py", tmp_path / "rows.json", PYTHONPATH=str(ROOT))
    two, none, long = json.loads((tmp_path / "rows.json").read_text())
    assert two["counts"] == {"name": 2}
    assert not any(name in two["text"] for name in ("Anna", "Schmidt", "Peter", "Houten"))
    assert " and Dr. " in two["text"]
    assert two["text"].endswith("'s parcel is late.")
    assert none == {"text": "Where is my order of 12 May?", "counts": {}, "originals": {}}
    assert long["counts"] == {"name": 1}
    assert "Barack Obama" in long["originals"].values()
