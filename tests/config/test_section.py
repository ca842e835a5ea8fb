"""A key that changed its name is accepted for one release, with a warning."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import ValidationError

from curator.cli.console import load
from curator.config import BudgetConfig
from curator.config.section import Section


class Limits(Section):
    """A section with a key that was called `max_dollars` before."""

    renamed_keys: ClassVar[Mapping[str, str]] = {"max_dollars": "max_usd"}
    max_usd: float = 0.0
    """US dollars."""


def test_an_old_name_is_accepted_with_a_warning() -> None:
    with pytest.warns(FutureWarning, match="'max_dollars' is now called 'max_usd'"):
        assert Limits.model_validate({"max_dollars": 3}).max_usd == 3


def test_the_new_name_gives_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Limits.model_validate({"max_usd": 3}).max_usd == 3


def test_both_names_at_once_are_refused() -> None:
    with pytest.raises(ValidationError, match="'max_dollars' is the old name of 'max_usd', and both are given"):
        Limits.model_validate({"max_dollars": 3, "max_usd": 4})


def test_the_command_prints_the_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(BudgetConfig, "renamed_keys", {"max_dollars": "max_usd"})
    path = tmp_path / "curator.yaml"
    path.write_text("committee: {models: [{name: m, provider: local}]}\nbudget: {max_dollars: 3}\n")
    assert load(path).budget.max_usd == 3
    assert "warning: the config key 'max_dollars' is now called 'max_usd'" in capsys.readouterr().err
