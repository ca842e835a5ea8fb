"""The documentation cannot drift: generated pages are current, shipped configs load, and README code runs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from curator.config import load_config

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")]


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_configuration_page_is_current() -> None:
    current = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert generator().configuration() == current, "run `python docs/generate.py`"


def test_every_config_key_is_explained() -> None:
    empty = [
        line for line in generator().configuration().splitlines() if line.startswith("| `") and line.endswith("|  |")
    ]
    assert empty == []


def test_command_line_page_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    current = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert generator().command_line() == current, "run `python docs/generate.py`"


def test_every_command_has_its_section() -> None:
    sections = re.findall(r"^## (.+)$", (ROOT / "docs" / "cli.md").read_text(encoding="utf-8"), re.MULTILINE)
    named = [
        "curator",
        *(
            f"curator {name}"
            for name in (
                "run",
                "plan",
                "status",
                "score",
                "calibrate",
                "select",
                "estimate",
                "leaks",
                "compare",
                "distil",
                "doctor",
                "init",
                "cache",
            )
        ),
    ]
    assert sections == [*named, *(f"curator cache {name}" for name in ("list", "prune", "export", "verify"))]


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_config_loads(path: Path) -> None:
    assert load_config(path).committee.models


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    assert [t for t in targets if "://" not in t and not (path.parent / t).exists()] == []


def test_readme_python_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, job: dict[str, Any], write_logs: Path, encoder: Any
) -> None:
    """The README's Python, on the test's own config and logs instead of the user's."""
    import yaml

    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block
    (tmp_path / "curator.yaml").write_text(yaml.safe_dump(job), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("curator.workflows.run.open_encoder", lambda _: encoder)
    seen: dict[str, Any] = {}
    exec(block[1], seen)  # noqa: S102
    assert seen["result"].summary.counts.read == 42
    assert seen["scores"][0].kind == "number"
