"""The public names are a promise, importing them is cheap, and their signatures use public types only."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

import curator
import curator.types
from curator.records.result import Result

HEAVY = ("openai", "litellm", "sentence_transformers", "torch", "transformers", "hdbscan", "sklearn", "scipy",
         "datasets", "xllamacpp", "rensa", "pydantic", "aiohttp", "jinja2", "numpy", "rich", "pandas")  # fmt: skip
ROOT = Path(curator.__file__)


def test_public_names_are_exactly_these() -> None:
    assert sorted(curator.__all__) == [
        "Calibration", "CalibrationResult", "Case", "CaseDesign", "CheckResult", "CommitteeResult", "CompareOptions", "Comparison", "Config", "CuratorError",
        "Distilled", "EstimateResult", "ExitCode", "Generation", "LabelPage", "LeakResult", "LoopResult", "MappingTrial", "PlanResult", "PulledLabels", "PurgeResult", "PushedQueue", "RejectedRecord", "RunResult",
        "Score", "ScoreResult", "Scoring", "SelectOptions", "Selected", "SetAsideReason", "TaskAnswers", "UserError", "__version__", "calibrate", "check", "committee_advice", "compare",
        "distil", "estimate", "export", "export_labels", "find_leaks", "import_labels", "label_page", "load_calibration", "load_config", "loop", "loop_status", "next_batch", "plan", "pull_labels", "purge", "push_labels", "read_categories", "read_logs",
        "run", "run_async", "save_calibration", "score", "select",
    ]  # fmt: skip


def test_every_public_name_resolves() -> None:
    for name in curator.__all__:
        assert getattr(curator, name) is not None


def test_type_checkers_see_the_names_that_python_loads() -> None:
    tree = ast.parse(ROOT.read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname: f"{node.module}" for node in imports for alias in node.names if alias.asname == alias.name}
    assert seen == {name: f"curator.{module}" for name, module in curator._EXPORTS.items()}


def test_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(curator, "no_such_name")


def test_old_names_work_and_warn() -> None:
    question = {"text": "How many wheels does a delivery van of the old type have?"}
    with pytest.warns(DeprecationWarning, match="`leaks` is now `find_leaks`"):
        assert len(curator.leaks([question], [question], embedding=False).leaks) == 1
    with pytest.warns(DeprecationWarning, match="`estimate_sample` is now"), pytest.raises(curator.UserError):
        curator.estimate_sample(["gone.csv"], size=10)
    with pytest.warns(DeprecationWarning, match="`select_file` is now `select`"), pytest.raises(curator.UserError):
        curator.select_file("gone.jsonl", "out")


def functions() -> Iterator[tuple[str, object]]:
    """Every public function, and every method and property of a public result."""
    for name in curator._EXPORTS:
        value = getattr(curator, name)
        if inspect.isfunction(value):
            yield name, value
        elif isinstance(value, type) and issubclass(value, Result):
            for member, entry in vars(value).items():
                function = entry.fget if isinstance(entry, property) else entry
                if inspect.isfunction(function) and not member.startswith("_"):
                    yield f"{name}.{member}", function


def types_in(annotation: object) -> Iterator[type]:
    """The classes of our own in an annotation, however deep."""
    if isinstance(annotation, type) and annotation.__module__.startswith("curator."):
        yield annotation
    for part in typing.get_args(annotation):
        for item in part if isinstance(part, list) else [part]:
            yield from types_in(item)


def hints_of(value: object) -> dict[str, object]:
    names = {name: getattr(curator.types, name) for name in curator.types.__all__}
    return typing.get_type_hints(value, localns=names | {"DataFrame": object})


@pytest.mark.parametrize(
    ("name", "function"), [*functions()], ids=lambda value: value if isinstance(value, str) else ""
)
def test_types_of_a_signature_are_public(name: str, function: object) -> None:
    public = {getattr(curator, public) for public in curator.__all__ if public[0].isupper()}
    public |= {getattr(curator.types, public) for public in curator.types.__all__}
    private = {found for hint in hints_of(function).values() for found in types_in(hint)} - public
    assert private == set()


@pytest.mark.parametrize("name", [n for n in curator._EXPORTS if n[0].isupper()])
def test_types_of_the_fields_of_a_public_class_are_public(name: str) -> None:
    value = getattr(curator, name)
    if not dataclasses.is_dataclass(value):
        return
    public = {getattr(curator, public) for public in curator.__all__ if public[0].isupper()}
    public |= {getattr(curator.types, public) for public in curator.types.__all__}
    assert {found for hint in hints_of(value).values() for found in types_in(hint)} - public == set()


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_import_loads_nothing_heavy() -> None:
    assert loaded_after("import curator") == set()


def test_help_loads_nothing_heavy() -> None:
    statement = "import curator.cli, contextlib\nwith contextlib.suppress(SystemExit): curator.cli.main(['--help'])"
    assert loaded_after(statement) == set()


def test_pipeline_import_leaves_models_alone() -> None:
    assert loaded_after("import curator.workflows.run") <= {"pydantic", "aiohttp", "jinja2", "numpy"}
