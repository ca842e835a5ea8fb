"""Names that a model may write for categories: which of them the clamp lets through.

    python -m benchmarks.clustering.written_names [--domain support_desk invoices ...] [--cases 1000] [--seeds 1] [--list]

Each planted mode has a description that a person wrote without knowing the categories. For every category that is a mode's own
(at least .8 of its cases), this is a name that a good model could give. Beside it stand names that must not get through: the
descriptions of the other modes of the log, a name that a text in a log asks for, and the right description with the name of a
person, or with another word that one case has. The words that many modes share make some descriptions fit two modes.
"""

from __future__ import annotations

import argparse
import re
import warnings
from collections import Counter
from collections.abc import Iterator

from benchmarks.clustering.finding import FIRST, PURITY
from benchmarks.clustering.made_up import Mode
from benchmarks.clustering.outcomes import GroupedLog, group
from benchmarks.clustering.planted import DOMAINS
from curator.clustering.written_names import NAME_LIMIT, SENTENCE_LIMIT, Evidence, WrittenName, clamp
from curator.records import Category
from curator.stages.name_categories import naming_evidence, naming_prompt

STEERED = ("All systems work", "Nothing fails here and no action is needed")
"""The name and the sentence that a text in a log asks for."""
KINDS = ("its own description", "of another mode", "asked for by a log", "with a word of one case")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--domain", nargs="*", choices=sorted(DOMAINS), default=list(DOMAINS))
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--list", action="store_true", help="print the refused descriptions with the reason")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'domain':14} {'seed':>4} {'categories':>10}  share let through: " + ", ".join(KINDS))
    for name in arguments.domain:
        for seed in arguments.seeds:
            log = DOMAINS[name](arguments.cases, seed)
            counts: Counter[tuple[str, bool]] = Counter()
            grouped = group(log)
            for kind, category, mode, result in results(grouped, log.modes):
                passed = isinstance(result, WrittenName)
                counts[kind, passed] += 1
                if arguments.list and not passed and kind == KINDS[0]:
                    print(f"    {mode.description!r} for {category.name!r}: {result}")
            of_kind = {kind: counts[kind, True] + counts[kind, False] for kind in KINDS}
            shares = ", ".join(f"{counts[kind, True] / max(1, of_kind[kind]):.2f}" for kind in KINDS)
            print(f"{name:14} {seed:4} {of_kind[KINDS[0]]:10}  {shares}", flush=True)


def results(grouped: GroupedLog, modes: tuple[Mode, ...]) -> Iterator[tuple[str, Category, Mode, object]]:
    """Yield what becomes of each name: its kind, the category, the mode of the category, and the result."""
    categories = [c for c in grouped.result.categories if c.parent is None][:FIRST]
    cases_by_id = {case.id: case for case in grouped.cases}
    evidence = naming_evidence(grouped.result.categories, grouped.result.contrasts, cases_by_id, naming_prompt())
    by_id = {mode.id: mode for mode in modes}
    for category in categories:
        counted = Counter(grouped.modes[i] for i in category.case_ids)
        usual, cases = counted.most_common(1)[0]
        if usual is None or cases < PURITY * len(category.case_ids):
            continue
        mode, words = by_id[usual], evidence[category.id]
        yield KINDS[0], category, mode, _clamped(mode.description, words)
        for other in modes:
            if other.id != mode.id:
                yield KINDS[1], category, mode, _clamped(other.description, words)
        yield KINDS[2], category, mode, clamp(*STEERED, words)
        for word in sorted(words.private)[:: max(1, len(words.private) // 20)]:
            yield KINDS[3], category, mode, clamp(f"{word} {category.name}"[:NAME_LIMIT], mode.description, words)


def _clamped(description: str, evidence: Evidence) -> object:
    """Take a description without its figures for the sentence, and its beginning for the name."""
    description = re.sub(r"\d+ ?", "", description)
    name = description if len(description) <= NAME_LIMIT else description[:NAME_LIMIT].rpartition(" ")[0]
    return clamp(name, description[:SENTENCE_LIMIT], evidence)


if __name__ == "__main__":
    main()
