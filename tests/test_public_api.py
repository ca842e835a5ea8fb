"""The public names are a promise, and importing them is cheap."""

from __future__ import annotations

import subprocess
import sys

import curator

HEAVY = ("openai", "litellm", "sentence_transformers", "torch", "transformers", "hdbscan", "sklearn", "scipy",
         "datasets", "xllamacpp", "rensa", "pydantic", "aiohttp", "jinja2", "numpy", "rich")  # fmt: skip


def test_public_names_are_exactly_these() -> None:
    assert sorted(curator.__all__) == [
        "Calibration", "Case", "CaseDesign", "CompareOptions", "Comparison", "Config", "CuratorError", "Distilled",
        "EstimateResult", "Generation", "LeakResult", "PlanResult", "RunResult", "Score", "SelectOptions", "Selected",
        "UserError", "__version__", "calibrate", "compare", "distil", "estimate", "estimate_sample", "leaks", "load_calibration", "load_config",
        "next_batch", "plan", "run", "run_async", "save_calibration", "score", "select", "select_file",
    ]  # fmt: skip


def test_every_public_name_resolves() -> None:
    for name in curator.__all__:
        assert getattr(curator, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(curator, "no_such_name")


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
