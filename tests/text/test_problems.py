from curator.records import RejectedRecord, Source
from curator.text.problems import problems_by_kind


def rejected(file: str, line: int, reason: str, remedy: str = "fix it") -> RejectedRecord:
    return RejectedRecord(Source(file, line), reason, remedy)


def test_records_with_one_remedy_are_one_problem_with_their_places() -> None:
    records = [rejected("a", 7, "bad"), rejected("a", 2, "odd"), rejected("a", 3, "odd"), rejected("a", 5, "odd")]
    assert list(problems_by_kind(records)) == [("a: 4 records: bad (at 7); odd (at 2-3, 5)", "fix it")]


def test_files_and_remedies_are_told_apart() -> None:
    records = [rejected("a", 1, "bad"), rejected("b", 1, "bad"), rejected("a", 2, "bad", "leave it")]
    assert list(problems_by_kind(records)) == [("a:1: bad", "fix it"), ("b:1: bad", "fix it"), ("a:2: bad", "leave it")]


def test_no_place_of_many_reasons_is_lost() -> None:
    ((problem, _),) = problems_by_kind([rejected("a", line, f"bad {line}") for line in range(1, 9)])
    assert problem.startswith("a: 8 records: bad 1 (at 1); bad 2 (at 2)")
    assert problem.endswith("bad 4 (at 4); and the like (at 5-8)")


def test_a_reason_of_a_strange_text_stays_on_one_line() -> None:
    ((problem, _),) = problems_by_kind([rejected("a", 1, "x\n\u202ey" * 999), rejected("a", 2, "z")])
    assert "\n" not in problem
    assert len(problem) < 400
