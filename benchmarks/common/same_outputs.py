"""Compare the outputs of two commits from one store.

    python benchmarks/common/same_outputs.py --against REF

Both commits run the same commands over copies of the same store of answers, each in a clean checkout of its own: `run`
with a config, then `score`, `select` and `estimate` over what the run left. Every file they write and every line they print is
compared byte for byte; times and process ids are taken out first. Exit code 1 if anything differs.

The store is the one in `--store` (by default `.curator` of this checkout). Where an answer is missing the run asks for it, so
run the config once before.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COMMANDS = (
    ("run", "{config}", "--out", "{out}/run", "--quiet"),
    ("score", "{out}/run/recorded.jsonl", "--out", "{out}/scores.jsonl"),
    ("select", "{out}/run", "--k", "20", "--out", "{out}/selection"),
    ("select", "{out}/scores.jsonl", "--k", "20", "--out", "{out}/selection_of_scores"),
    ("estimate", "{out}/selection/label_queue.csv"),
)
_VOLATILE = (
    (re.compile(rb'"(started|finished|updated)": *"[^"]*"'), rb'"\1": "TIME"'),
    (re.compile(rb'"pid": *\d+'), b'"pid": PID'),
    (re.compile(rb'"(requests_per_s|tokens_per_s|seconds_left)": *[\d.]+'), rb'"\1": SPEED'),
    (re.compile(rb"(\d+ min )?\d+(\.\d+)? (s|ms)\b"), b"TIME"),
)
_SHOWN_LINES = 12


def main() -> int:
    """Print a line a file and the first differing lines; 0 if all are the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", required=True, metavar="REF", help="the commit to compare with")
    parser.add_argument("--commit", default="HEAD", metavar="REF", help="the commit to compare (default: HEAD)")
    parser.add_argument("--config", default="configs/quickstart.yaml")
    parser.add_argument("--store", type=Path, default=ROOT / ".curator", help="a `.curator` folder with the answers")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        before = _outputs(arguments.against, arguments.config, arguments.store, Path(folder) / "before")
        after = _outputs(arguments.commit, arguments.config, arguments.store, Path(folder) / "after")
    differing = 0
    for name in sorted(before | after):
        old, new = before.get(name), after.get(name)
        same = old == new
        differing += not same
        print(f"{'same   ' if same else 'differs'} {name}")
        if not same:
            _print_difference(old or b"", new or b"")
    print(f"{len(before | after) - differing} of {len(before | after)} outputs are byte-identical")
    return 1 if differing else 0


def _outputs(ref: str, config: str, store: Path, folder: Path) -> dict[str, bytes]:
    """Run every command at a commit; return its outputs by name, without times."""
    checkout, out = folder / "checkout", folder / "out"
    _git("worktree", "add", "--detach", "--quiet", str(checkout), ref)
    try:
        # A store may stand beside the config or in the working directory: whichever the commit looks for is there.
        for place in (checkout / ".curator", (checkout / config).parent / ".curator"):
            shutil.copytree(store, place, dirs_exist_ok=True)
        outputs = {}
        for command in _COMMANDS:
            words = [word.format(config=config, out=out) for word in command]
            done = subprocess.run(  # noqa: S603 - our own command line
                [sys.executable, "-m", "curator.cli", *words],
                cwd=checkout,
                env={**os.environ, "PYTHONPATH": str(checkout)},
                capture_output=True,
                check=False,
            )
            outputs[f"$ curator {' '.join(command)}"] = b"exit %d\n%b%b" % (done.returncode, done.stdout, done.stderr)
        for path in sorted(out.rglob("*")):
            if path.is_file():
                outputs[str(path.relative_to(out))] = path.read_bytes()
    finally:
        _git("worktree", "remove", "--force", str(checkout))
    return {name: _steady(content, folder) for name, content in outputs.items()}


def _steady(content: bytes, folder: Path) -> bytes:
    content = content.replace(str(folder).encode(), b"FOLDER")
    for pattern, stand_in in _VOLATILE:
        content = pattern.sub(stand_in, content)
    return content


def _print_difference(old: bytes, new: bytes) -> None:
    lines = difflib.unified_diff(
        old.decode(errors="replace").splitlines(), new.decode(errors="replace").splitlines(), lineterm="", n=0
    )
    for line in [line for line in lines if not line.startswith(("---", "+++", "@@"))][:_SHOWN_LINES]:
        print(f"    {line[:200]}")


def _git(*words: str) -> None:
    subprocess.run(["git", "-C", str(ROOT), *words], check=True)  # noqa: S603, S607 - the repository's own git


if __name__ == "__main__":
    sys.exit(main())
