"""Rows of `cases.jsonl` as the pool of an estimate."""

from __future__ import annotations

from curator.run_folder.cases import CaseRow
from curator.stages.sampling_units import metadata_fields, sampling_units


def test_metadata_is_never_taken_for_a_signal_of_the_committee() -> None:
    row = {"id": "a", "disagreement": 0.2, "kind": "label", "metadata": {"score": 4, "rank": 2, "time": 9}}
    (case,) = sampling_units([CaseRow.from_json(row)])
    assert case.covariates["score"] == 0.2
    assert {name: case.covariates[name] for name in case.covariates if "metadata" in name} == {
        "metadata score": 4,
        "metadata rank": 2,
    }


def test_what_measures_is_no_kind_of_case() -> None:
    rows = [
        CaseRow(str(n), metadata={"cost": n % 3 if n % 2 else n / 7, "region": "ns"[n % 2], "committee": n % 2})
        for n in range(200)
    ]
    assert metadata_fields(rows) == ("region",)


def test_a_group_is_a_category_where_it_holds_more_than_one_case() -> None:
    rows = [CaseRow(i, group=group) for i, group in (("a", "a"), ("b", "a"), ("c", "c"), ("d", ""), ("e", ""))]
    assert [case.domains.get("group") for case in sampling_units(rows)] == ["a", "a", None, None, None]
