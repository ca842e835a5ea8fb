"""`AskCommittee`: texts to the recorded answers of a config's committee."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from curator.answers.read import ReadRule, extract
from curator.committee.budget import Budget
from curator.committee.plan import Plan
from curator.committee.questions import Asking
from curator.config import CategoriesConfig, Config, EquivalenceConfig, TaskConfig
from curator.config.logs import kind_of
from curator.errors import RecordError
from curator.progress import Silent
from curator.readers.messages import read_messages, require_question
from curator.records import Case, Generation, JsonValue, Message, Source, case_id
from curator.run_folder.recorded import RecordedRow
from curator.stages.ask import ask
from curator.stages.plan import with_model_limits
from curator.stages.prepare import RunInputs
from curator.stages.redact import Redaction
from curator.stages.score import Scorer
from curator.state.generations import GenerationStore
from curator.state.paths import StatePaths
from curator.workflows.event_loop import run_coroutine, run_job
from curator.workflows.inputs import PathLike, config_from


class AskCommittee(TransformerMixin, BaseEstimator):
    """Ask the committee of a config about texts, and return its recorded answers.

        make_pipeline(AskCommittee("curator.yaml", task="route"), PromptCommittee()).fit(texts, labels)

    Questions are redacted as the config says before they are sent. Answers are kept in the config's store, so that the same
    question is paid for once, by this or by `curator run`. `budget.max_usd` bounds each call of `transform`. Only the committee is
    asked, not a judge.

    Args:
        config: the job, or the path of its file; its logs are not read.
        system: a system message in front of each text; None for none.
        task: the name of the task in `config.tasks` whose kind and labels the answers have; None to detect the kind.
        environ: where API keys are looked up; None for `os.environ`.
    """

    def __init__(
        self,
        config: Config | PathLike,
        *,
        system: str | None = None,
        task: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.config = config
        self.system = system
        self.task = task
        self.environ = environ

    def fit(self, X: Any, y: object = None) -> Self:  # noqa: ARG002  scikit-learn passes both
        """Check the config; nothing is learned, and no model is asked.

        Raises:
            ConfigError: the config does not fit.
            ValueError: the config has no such task.
        """
        self._task(config_from(self.config))
        return self

    def transform(self, X: Sequence[str] | Sequence[Sequence[Mapping[str, Any]]]) -> NDArray[np.object_]:
        """Return a record with `generations` for each text or list of chat messages, (n,).

        `curator score` reads such records. A call that failed has its error in the record's `failed`, and gives no answer.

        Raises:
            BudgetReached: a limit of the budget ended the asking; the answers so far are stored, and the same call goes on.
            ProviderError: an endpoint refuses, or no call got an answer.
            ValueError: a text is empty, or its messages cannot be read; the message gives its place, from 0.
        """
        config = config_from(self.config)
        cases = [self._case(question, place) for place, question in enumerate(X)]
        records = run_job(lambda: _ask(config, cases, self._task(config), self.environ))
        answered = np.empty(len(records), dtype=object)
        answered[:] = records
        return answered

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags

    def _task(self, config: Config) -> TaskConfig:
        if self.task is not None and self.task not in config.tasks:
            raise ValueError(f"the config has no task {self.task!r}; it has {sorted(config.tasks) or 'none'}")
        return config.tasks.get(self.task or "", TaskConfig())

    def _case(self, question: Any, place: int) -> Case:
        system = () if self.system is None else (Message("system", self.system),)
        try:
            messages = (*system, *read_messages(_as_messages(question)))
            require_question(messages)
        except RecordError as error:
            raise ValueError(f"text {place} of X: {error.reason}; {error.remedy}") from error
        return Case(case_id(messages), messages, Source("X", place + 1), task=self.task)


def _as_messages(question: Any) -> list[Any]:
    return [{"role": "user", "content": str(question)}] if isinstance(question, str) else list(question)


def _ask(
    config: Config, cases: Sequence[Case], task: TaskConfig, environ: Mapping[str, str] | None
) -> list[dict[str, JsonValue]]:
    """Ask about each different question once, and return a record for each case."""
    alone = config.model_copy(
        update={"equivalence": EquivalenceConfig(), "categories": CategoriesConfig(), "judge": None}
    )
    paths = StatePaths.of(config)
    inputs, redaction = RunInputs(alone, paths), Redaction(alone, paths)
    redacted = [redaction.counted(redaction.redactor.case(case)) for case in cases]
    redaction.save()
    questions = tuple({case.id: case for case in redacted}.values())
    with GenerationStore(paths.store, clean=redaction.answer) as store:
        plan = with_model_limits(Plan(questions, alone.committee, inputs.variants, alone.seed, inputs.prices), store)
        asking = Asking(store, Budget(alone.budget), Silent(), os.environ if environ is None else environ)
        result = run_coroutine(ask(alone, plan, Scorer(alone, questions, inputs.variants), asking))
    if result.stopped is not None:
        raise result.stopped
    rules = {variant.id: variant.read for variant in inputs.variants}
    return [_record(case, result.generations[case.id], task, rules) for case in redacted]


def _record(
    case: Case, generations: Sequence[Generation], task: TaskConfig, rules: Mapping[str, ReadRule]
) -> dict[str, JsonValue]:
    answers = [
        replace(generation, text=extract(generation.text, rules[generation.variant or ""]))
        for generation in generations
        if generation.error is None
    ]
    failed = [generation.error for generation in generations if generation.error is not None]
    kind = kind_of(task)
    record = RecordedRow(case, kind or "text", task.labels, answers, failed=failed).to_json()
    return record if kind else {key: value for key, value in record.items() if key != "kind"}
