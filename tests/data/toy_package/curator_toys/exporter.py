"""The eval set as a quiz: one question a line, with the right answer."""

from curator.errors import RecordError
from curator.exporters import EvalRow, Exporter
from curator.records import JsonValue


def to_row(row: EvalRow) -> dict[str, JsonValue]:
    """Convert one case; a case without an answer is left out of the file."""
    answer = row.reference or row.target
    if answer is None:
        raise RecordError("the case has no answer", "label it")
    return {"question": row.messages[-1].content, "answer": answer}


EXPORTER = Exporter(
    name="toy-quiz",
    description="questions with answers, for the toy quiz",
    file_name="quiz.jsonl",
    row_type=EvalRow,
    to_row=to_row,
)
