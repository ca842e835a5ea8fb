"""The documentation cannot drift: generated parts are current, links lead somewhere, shipped configs load, README code runs."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from curator.cli import build_parser
from curator.config import load_config

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [*ROOT.glob("*.md"), *PAGES, *ROOT.glob("examples/*.md")]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def load_script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_script("generate")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def without_figures(text: str) -> str:
    """Mask numbers and the spaces around them: the last digits of a fit differ between processors."""
    return re.sub(r"[ \d.,%-]*\d[ \d.,%-]*", "#", text)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in GENERATOR.pages() if not GENERATOR.needs_model(page)], ids=name_of)
def test_generated_parts_are_current(page: Path) -> None:
    current = page.read_text(encoding="utf-8")
    assert without_figures(GENERATOR.filled(page)) == without_figures(current), "run `python docs/generate.py`"


@pytest.mark.slow
def test_the_commands_of_the_tutorial_work(tmp_path: Path, endpoint: Any) -> None:
    """All of them as typed, in one shell, with an endpoint that answers at once instead of the local model."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    local = "{ name: smollm2-135m, provider: local, send_seed: true }"
    served = f"{{ name: m, model: test-model, base_url: '{endpoint.base_url}', price: {{ input: 0, output: 0 }} }}"
    typed = re.findall(r"^\$ (.+)$", (DOCS / "tutorial.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert typed[0] == "curator init mine"
    serve = f"sed -i.bak {shlex.quote(f's|{local}|{served}|')} mine/curator.yaml"
    lines = [f'curator() {{ {shlex.quote(sys.executable)} -m curator.cli "$@"; }}', typed[0], serve, *typed[1:]]
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", "\n".join(lines)], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(endpoint.bodies) == 336
    assert "failure rate" in done.stdout
    assert (tmp_path / "mine" / "runs" / "my-logs" / "finetune.jsonl").stat().st_size > 0


def test_an_unknown_generated_part_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- generate: nonsense -->\n<!-- end -->\n", encoding="utf-8")
    with pytest.raises(KeyError, match="nonsense"):
        GENERATOR.filled(page)


def test_the_picture_of_the_layers_is_current() -> None:
    current = (DOCS / "images" / "layers.svg").read_text(encoding="utf-8")
    assert load_script("layers").picture() == current, "run `python docs/layers.py`"


def test_the_architecture_names_every_room() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rooms = [name for layer in load_script("layers").layers() for name in layer]
    assert re.findall(r"^\| \d \| `(\w+)` \|", text, re.MULTILINE) == rooms


def test_every_config_key_is_explained() -> None:
    empty = [
        line
        for line in GENERATOR.configuration("", ROOT).splitlines()
        if line.startswith("| `") and line.endswith("|  |")
    ]
    assert empty == []


def test_every_command_has_a_page_with_its_options() -> None:
    for name in GENERATOR.command_names(build_parser()):
        if name == "curator":
            continue
        page = (DOCS / "commands" / f"{name.split()[1]}.md").read_text(encoding="utf-8")
        assert f"<!-- generate: help {name} -->" in page


def test_the_exit_codes_stand_once() -> None:
    holders = [page for page in PAGES if "<!-- generate: exit-codes -->" in page.read_text(encoding="utf-8")]
    assert holders == [DOCS / "cli.md"]


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_config_loads(path: Path) -> None:
    assert load_config(path).committee.models


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = CODE.sub(lambda code: code[0].strip("`") if "\n" not in code[0] else "", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in LINK.findall(CODE.sub("", path.read_text(encoding="utf-8"))):
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        page = path.parent / file if file else path
        if not page.exists() or (anchor and anchor not in anchors(page)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_named_files_are_there(path: Path) -> None:
    files = re.findall(
        r"(?<![\w/.-])((?:curator|benchmarks|configs)/[\w/.]+\.(?:py|yaml))\b", path.read_text(encoding="utf-8")
    )
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_every_page_can_be_reached_from_the_index() -> None:
    reached, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        targets = LINK.findall(page.read_text(encoding="utf-8"))
        waiting += [(page.parent / t.partition("#")[0]).resolve() for t in targets if "://" not in t and t[0] != "#"]
    assert set(PAGES) - reached == set()


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    site = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    tomllib.loads(site)
    assert {str(page.relative_to(DOCS)) for page in PAGES} == set(re.findall(r'"([^"]+\.md)"', site))


def test_the_python_of_the_pages_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, job: dict[str, Any], write_logs: Path, encoder: Any
) -> None:
    """The Python of README and of the Python page, on the test's own config and logs instead of the user's."""
    import yaml

    (tmp_path / "curator.yaml").write_text(yaml.safe_dump(job), encoding="utf-8")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "day.csv").write_text("request_id,question,answer\n1,6 x 7?,42\n2,,\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("curator.stages.prepare.open_encoder", lambda _: encoder)
    for page in (ROOT / "README.md", DOCS / "python.md"):
        names: dict[str, Any] = {}
        for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            exec(block, names)  # noqa: S102
        assert names["run"].summary.counts.read == 42
        assert names["scores"][0].kind in ("number", "text")
    assert names["leaks"].exit_code == 3
