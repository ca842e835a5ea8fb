"""`finetune.jsonl`: training examples in OpenAI's chat format.

Format: https://developers.openai.com/api/docs/guides/supervised-fine-tuning; Azure, Together, Fireworks, TRL and Axolotl
read it too. Its schema (`FineTuneChatRequestInput`) allows further keys beside `messages`, so that `metadata` passes.
"""

from __future__ import annotations

from typing import cast, get_args

from curator.exporters.exporter import Exporter
from curator.exporters.trusted_targets import TrainingExample
from curator.io.json_rows import Fields
from curator.readers.messages import read_messages
from curator.records import JsonValue, Message, ReferenceSource


def chat_row(example: TrainingExample) -> dict[str, JsonValue]:
    """Return the line of an example.

    Earlier assistant turns have weight 0, so that they are not trained on: they are logged answers that were not checked.
    """
    metadata: dict[str, JsonValue] = {
        "case_id": example.case_id,
        "group": example.group,
        "task": example.task,
        "target_source": example.target_source,
        "target_by": example.target_by,
        "source": example.source,
    }
    row: dict[str, JsonValue] = {
        "messages": [*map(_earlier_turn, example.messages), example.answer.as_openai()],
        "metadata": {key: value for key, value in metadata.items() if value is not None},
    }
    return {**row, "tools": list(example.tools)} if example.tools else row


def example_from_chat_row(row: object) -> TrainingExample:
    """Read a line of the file back, for an export from a run folder.

    Raises:
        RecordError: the row has no `messages` or no `metadata` as curator writes them.
    """
    values = Fields.of(row)
    metadata = Fields.of(values.values.get("metadata"))
    *earlier, answer = read_messages(values.values.get("messages")) or (Message("assistant", ""),)
    tools = values.values.get("tools")
    return TrainingExample(
        case_id=metadata.text("case_id"),
        messages=tuple(earlier),
        answer=answer,
        target_source=cast("ReferenceSource", metadata.one_of("target_source", get_args(ReferenceSource))),
        target_by=metadata.optional_text("target_by"),
        tools=tuple(tools) if isinstance(tools, list) else (),
        group=metadata.optional_text("group") or "",
        task=metadata.optional_text("task"),
        source=metadata.optional_text("source") or "",
    )


OPENAI_CHAT = Exporter(
    name="openai-chat",
    description="fine-tune data in OpenAI's chat format; the source of each target is in its `metadata`",
    file_name="finetune.jsonl",
    row_type=TrainingExample,
    to_row=chat_row,
)


def _earlier_turn(message: Message) -> JsonValue:
    return message.as_openai() | ({"weight": 0} if message.role == "assistant" else {})
