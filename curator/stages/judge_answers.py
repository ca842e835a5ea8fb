"""Cases to a judge's verdicts on production's answers, by a model or from the logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from curator.committee.question_prompt import (
    QuestionPrompt,
    load_question_prompt,
    nonce_of,
    reply_object,
    reply_schema,
    shortened,
)
from curator.committee.questions import Asking, Question, QuestionUsage, collect_replies
from curator.config import AnswerJudgeConfig, ModelConfig
from curator.errors import RecordError
from curator.io.assets import asset
from curator.readers.feedback import read_verdict
from curator.records import Case
from curator.stages.ask_attributes import conversation_text
from curator.stages.ingest import IngestResult
from curator.text.display import clean, one_line, plural

INSTRUCTIONS_LIMIT = 4000
DOCUMENTS_LIMIT = 6000
ANSWER_LIMIT = 4000
"""Characters that the judge sees of the system prompt, of all documents and of the answer: head and tail."""
_NONE = "(none)"
_VERDICTS = {"pass": 0.0, "fail": 1.0}
_SCHEMA = reply_schema(
    "verdict", {"reason": {"type": "string"}, "verdict": {"type": "string", "enum": ["pass", "fail", "unsure"]}}
)


@dataclass(frozen=True, slots=True)
class Judgements:
    """The verdicts of a judge.

    Attributes:
        failures: the probability that production's answer is wrong, 0..1, by case id; a case without a verdict has none.
        usage: of the model; None where no model was asked.
        warnings: cases without a usable verdict.
    """

    failures: Mapping[str, float]
    usage: QuestionUsage | None = None
    warnings: tuple[str, ...] = ()


NO_JUDGEMENTS = Judgements({})


def answer_prompt() -> QuestionPrompt:
    """Return the prompt that ships."""
    path = asset("prompts", "judge", "right-answer.md")
    return load_question_prompt(path, ("instructions", "documents", "conversation", "answer"))


async def judge_answers(
    cases: Sequence[Case], config: AnswerJudgeConfig | None, model: ModelConfig | None, asking: Asking
) -> Judgements:
    """Judge production's answers; without a config nothing is asked.

    A limit of the budget, or a model that fails, leaves cases without a verdict; it does not end the run.
    """
    if config is None:
        return NO_JUDGEMENTS
    if model is None:
        return recorded_judgements(cases, config.recorded or "")
    questions = JudgeQuestions.of(cases, config, answer_prompt())
    replies = await collect_replies(questions, model, asking)
    failures, unsure = {}, 0
    for case in questions.cases:
        texts = replies.by_question.get(_question_id(case), ())
        verdict = read_reply(texts[0]) if texts else None
        if verdict in _VERDICTS:
            failures[case.id] = _VERDICTS[verdict]
        unsure += verdict == "unsure"
    count = len(questions.cases)
    usage = QuestionUsage(
        model.name, questions.prompt, count, len(failures) + unsure, replies.usd, replies.sent, replies.from_store
    )
    warnings = []
    if unsure:
        warnings.append(f"judge: unsure of {unsure:,} of {plural(count, 'answer')}; these count like an average answer")
    if missing := count - len(failures) - unsure:
        why = f" ({replies.stopped})" if replies.stopped else ""
        warnings.append(f"judge: no usable verdict on {missing:,} of {plural(count, 'answer')}{why}")
    return Judgements(failures, usage, tuple(warnings))


def recorded_judgements(cases: Iterable[Case], key: str) -> Judgements:
    """Return the verdicts that the logs hold in the metadata under a key."""
    failures: dict[str, float] = {}
    missing, unclear = 0, list[Case]()
    for case in cases:
        if case.target is None:
            continue
        try:
            quality = read_verdict(case.metadata.get(key))
        except RecordError:
            unclear.append(case)
            continue
        if quality is None:
            missing += 1
        elif quality != "unsure":
            failures[case.id] = 1 - quality
    warnings = []
    if missing:
        warnings.append(f"judge: {plural(missing, 'case')} without `{one_line(key, 60)}` in the metadata of the log")
    if unclear:
        example = one_line(str(unclear[0].metadata[key]), 60)
        warnings.append(
            f"judge: {len(unclear):,} values of `{one_line(key, 60)}` are no verdict, such as {example!r} at {unclear[0].source};"
            " pass or fail, true or false, or numbers from 0 to 1 (right) are read"
        )
    return Judgements(failures, None, tuple(warnings))


@dataclass(frozen=True, slots=True)
class JudgeQuestions:
    """A question about each case with an answer, made when it is needed."""

    cases: Sequence[Case]
    config: AnswerJudgeConfig
    prompt: QuestionPrompt

    @classmethod
    def of(cls, cases: Iterable[Case], config: AnswerJudgeConfig, prompt: QuestionPrompt) -> JudgeQuestions:
        """Return the questions about the cases that have an answer."""
        return cls([case for case in cases if case.target is not None], config, prompt)

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Question]:
        for case in self.cases:
            texts = {
                "instructions": shortened(clean(case.system), INSTRUCTIONS_LIMIT) or _NONE,
                "documents": shortened(clean(_documents(case)), DOCUMENTS_LIMIT) or _NONE,
                "conversation": conversation_text(case),
                "answer": shortened(clean(case.target or ""), ANSWER_LIMIT),
            }
            nonce = nonce_of(*texts.values())
            yield Question(
                id=_question_id(case),
                role="answer judge",
                prompt=self.prompt.id,
                messages=self.prompt.fill({**texts, "nonce": nonce, "rubric": self.config.rubric.strip() or _NONE}),
                schema=_SCHEMA,
                max_tokens=self.config.max_tokens,
            )


def read_reply(text: str) -> str | None:
    """Return the verdict of a reply, `pass`, `fail` or `unsure`; None where it is not one."""
    reply = reply_object(text)
    verdict = reply.get("verdict") if reply is not None else None
    word = verdict.strip().casefold() if isinstance(verdict, str) else None
    return word if word in _VERDICTS or word == "unsure" else None


def with_judgements(intake: IngestResult, judgements: Judgements) -> IngestResult:
    """Return the cases with their verdicts."""
    if not judgements.failures:
        return intake

    def judged(case: Case) -> Case:
        failure = judgements.failures.get(case.id)
        return case if failure is None else replace(case, judged_wrong=failure)

    return replace(intake, cases=tuple(map(judged, intake.cases)), asked=tuple(map(judged, intake.asked)))


def verdicts_on(cases: Iterable[Case]) -> dict[str, float]:
    """Return the verdicts of cases that have one, as the probability of a failure by id."""
    return {case.id: case.judged_wrong for case in cases if case.judged_wrong is not None}


def _question_id(case: Case) -> str:
    return f"right {case.id}"


def _documents(case: Case) -> str:
    return "\n\n".join(document.text for document in case.documents)
