"""Plan to cost, before any model is asked, and the user's agreement to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

from curator.committee.cost import Estimate, ModelEstimate, estimate_cost
from curator.committee.endpoints import ONE_TEMPERATURE
from curator.committee.judge import judge_ceiling, load_prompt
from curator.committee.plan import Plan, endpoint_of
from curator.committee.prices import price_of
from curator.committee.questions import QuestionEstimate, estimate_questions
from curator.config import Config
from curator.config.logs import kind_of
from curator.errors import NotConfirmed
from curator.labels.batches import Workload
from curator.progress import Progress, span
from curator.records import (
    JsonValue,
    RejectedRecord,
)
from curator.records.result import Result
from curator.stages.ask_attributes import AttributeQuestions, attribute_prompt
from curator.stages.ingest import IngestResult, ingest_lines
from curator.stages.judge_answers import JudgeQuestions, answer_prompt
from curator.stages.name_categories import names_ceiling
from curator.state.generations import GenerationStore
from curator.text.display import money, plural


@dataclass(frozen=True, slots=True)
class PlanResult(Result):
    """The calls, tokens, time and cost of a run, before any model is asked.

    Attributes:
        intake: the cases of the logs.
        estimate: of the whole committee.
        max_usd: the limit of the budget, in US dollars; None without one.
        adaptive: the share of the committee's calls that an adaptive committee makes; None for a fixed one.
        judge: the most that a judge of answers can cost on top; None without one.
        names: the most that a model that names categories can cost on top; None where templates name them.
        attributes: the most that the questions about cases can cost on top; None without such questions.
        answer_judge: the most that a judge of production's answers can cost on top; None without one.
        workload: what it takes to label the selection.
    """

    intake: IngestResult
    estimate: Estimate
    max_usd: float | None = None
    adaptive: float | None = None
    judge: QuestionEstimate | None = None
    names: QuestionEstimate | None = None
    attributes: QuestionEstimate | None = None
    answer_judge: QuestionEstimate | None = None
    workload: Workload | None = None

    warnings_in_text = True

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on the logs and the plan that a user should read before the run."""
        return self.intake.warnings

    @property
    def rejected(self) -> tuple[RejectedRecord, ...]:
        """The log records that could not be read."""
        return self.intake.unreadable

    @property
    def most_usd(self) -> float:
        """The ceiling of the committee and of the models beside it, in US dollars."""
        beside = (self.judge, self.names, self.attributes, self.answer_judge)
        return self.estimate.usd_max + sum(estimate.usd_max for estimate in beside if estimate)

    @property
    def ceiling_usd(self) -> float:
        """The most the run can cost, in US dollars: the ceiling, or the budget's limit if lower."""
        return self.most_usd if self.max_usd is None else min(self.most_usd, self.max_usd)

    @property
    def expected_usd(self) -> float | None:
        """The expected cost of the committee, in US dollars; None until answer lengths are known.

        The share of the models beside it is not in it. The budget's limit bounds it.
        """
        usd = self.estimate.usd_expected
        if usd is None:
            return None
        usd = usd if self.adaptive is None else usd * self.adaptive
        return usd if self.max_usd is None else min(usd, self.max_usd)

    def to_dict(self) -> dict[str, JsonValue]:
        """The figures for machines."""
        e, i = self.estimate, self.intake
        return {
            "read": i.read, "cases": len(i.cases), "merged": len(i.merged), "set_aside": len(i.unreadable),
            **asdict(i.counts),
            "asked": e.cases, "members": e.members, "calls": e.calls, "stored_calls": e.stored_calls,
            "input_tokens": e.input_tokens, "max_output_tokens": e.max_output_tokens, "max_usd": e.usd_max,
            "max_usd_live": e.usd_live, "max_usd_batch": e.usd_batch, "budget_max_usd": self.max_usd,
            "expected_usd": self.expected_usd, "expected_s": e.seconds, "adaptive_share": self.adaptive,
            "judge": asdict(self.judge) if self.judge else None,
            "names": asdict(self.names) if self.names else None,
            "attributes": asdict(self.attributes) if self.attributes else None,
            "answer_judge": asdict(self.answer_judge) if self.answer_judge else None,
            "labelling": asdict(self.workload) if self.workload else None,
            "warnings": list(self.warnings), "rejected": self.rejected_rows(),
            "by_model": {
                m.model: {
                    "mode": m.mode, "calls": m.calls, "stored_calls": m.stored_calls, "input_tokens": m.input_tokens,
                    "max_output_tokens": m.max_output_tokens, "max_usd": m.usd_max, "max_usd_live": m.usd_live,
                    "max_usd_batch": m.usd_batch, "expected_usd": m.usd_expected, "expected_s": m.seconds,
                }
                for m in e.by_model
            },
        }  # fmt: skip

    def to_text(self) -> str:
        """The figures for people."""
        e, i = self.estimate, self.intake
        lines = [
            *([i.understood] if i.understood else []),
            *ingest_lines(i.counts, i.read, len(i.cases), len(i.merged), len(i.unreadable)),
            f"{plural(e.cases, 'question' if i.same_question else 'case')}, {plural(e.members, 'member')}: {plural(e.calls, 'call')}, {e.stored_calls:,} of them stored already",
            f"{plural(e.input_tokens, 'input token')} (estimated), {plural(e.max_output_tokens, 'output token')} at most",
        ]
        lines += [
            f"  {m.model}: {plural(m.calls - m.stored_calls, 'call')}, {_expected(m.usd_expected)}{money(m.usd_max, at_most=True)} at most{_other_mode(m)}, {_time(m)}"
            for m in e.by_model
        ]
        lines.append(f"{money(e.usd_max, at_most=True)} at most, tries that fail not counted")
        if e.usd_batch is not None:
            lines.append(
                f"live {money(e.usd_live, at_most=True)}, with `mode: batch` {money(e.usd_batch, at_most=True)}, both at most"
            )
        if self.adaptive is not None:
            lines.append(f"that is the whole committee: an adaptive one makes about {self.adaptive:.0%} of the calls")
        if self.judge is not None:
            lines.append(
                f"judge: {plural(self.judge.calls, 'call')} at most, {money(self.judge.usd_max, at_most=True)}; one for each pair"
                " of answers that words leave open, a number that only the answers show"
            )
        lines += _category_lines(self)
        if self.answer_judge is not None:
            lines.append(f"judge of production's answers: {_calls(self.answer_judge)}")
        lines.append(_expected_line(self))
        if self.ceiling_usd < self.most_usd:
            lines.append(f"the budget stops the run at {money(self.ceiling_usd, at_most=True)}")
        lines.append(f"time: {_total_time(e)}")
        if self.workload is not None:
            lines.append(f"labelling: {self.workload.to_text()}")
        return "\n".join([*lines, *(f"warning: {w}" for w in self.warnings)])


def _expected(usd: float | None) -> str:
    return "" if usd is None else f"about {money(usd)} expected, "


def _expected_line(result: PlanResult) -> str:
    """Return the line on the expected cost."""
    usd = result.expected_usd
    if usd is None:
        return "expected cost unknown until the first answers of every model are stored"
    beside = {
        "the judge": result.judge,
        "the names": result.names,
        "the attributes": result.attributes,
        "the judge of production's answers": result.answer_judge,
    }
    others = " and ".join(name for name, estimate in beside.items() if estimate)
    without = f", without {others}" if others else ""
    return f"about {money(usd)} expected, by the lengths of stored or logged answers{without}"


def _category_lines(result: PlanResult) -> Iterator[str]:
    """Yield the lines on the model that names categories and answers questions about cases."""
    names, attributes = result.names, result.attributes
    if names is not None:
        yield (
            f"names of categories: {plural(names.calls, 'call')} at most, {money(names.usd_max, at_most=True)}; usually far"
            " fewer, a number that only the answers show"
        )
    if attributes is not None:
        yield (f"attributes: {_calls(attributes)}")


def _calls(estimate: QuestionEstimate) -> str:
    return (
        f"{plural(estimate.calls, 'call')}, {estimate.stored_calls:,} of them stored already,"
        f" {money(estimate.usd_max, at_most=True)} at most"
    )


def _other_mode(model: ModelEstimate) -> str:
    """Return the ceiling of the model in the other mode, live or batch."""
    if model.usd_batch is None:
        return ""
    return (
        f" (live: {money(model.usd_live, at_most=True)})"
        if model.mode == "batch"
        else f" (in batches: {money(model.usd_batch, at_most=True)})"
    )


def _time(model: ModelEstimate) -> str:
    if model.seconds is None:
        return "time unknown until its first answers are stored"
    return "within 24 h" if model.mode == "batch" and model.seconds else f"about {span(model.seconds)}"


def _total_time(estimate: Estimate) -> str:
    """Return the time of the whole committee, whose models are asked in parallel."""
    if estimate.seconds is None:
        return "unknown until the first answers of every model are stored"
    return (
        "within 24 h"
        if any(m.mode == "batch" and m.seconds for m in estimate.by_model)
        else f"about {span(estimate.seconds)}"
    )


def with_model_limits(plan: Plan, store: GenerationStore) -> Plan:
    """Return the plan with the models that earlier runs found to accept only temperature 1."""
    models = plan.config.models
    limited = {m.name for m in models if store.noted(endpoint_of(m), m.model, ONE_TEMPERATURE)}
    return replace(plan, one_temperature=frozenset(limited))


def estimate_plan(config: Config, intake: IngestResult, plan: Plan, store: GenerationStore | None) -> PlanResult:
    """Estimate the cost of a plan; stored answers cost nothing."""
    intake = replace(intake, warnings=(*intake.warnings, *plan.warnings))
    if store is None:
        estimate = estimate_cost(plan)
    else:
        estimate = estimate_cost(
            plan, find_stored=lambda keys: set(store.get_many(keys)), find_means=store.recent_means
        )
    adaptive = config.committee.adaptive
    share = adaptive.average if adaptive else None
    return PlanResult(
        intake,
        estimate,
        config.budget.max_usd,
        share,
        judge=_judge_estimate(config, plan),
        names=_names_estimate(config, plan),
        attributes=_attributes_estimate(config, plan, store),
        answer_judge=_answer_judge_estimate(config, intake, store),
    )


def _judge_estimate(config: Config, plan: Plan) -> QuestionEstimate | None:
    """Return the ceiling of the judge: cases whose answers compare by value need none."""
    judge = config.equivalence.asks
    if judge is None:
        return None
    kinds = {name: kind_of(task) for name, task in config.tasks.items()}
    open_cases = [c for c in plan.cases if (c.kind or kinds.get(c.task or "")) in (None, "short", "text")]
    return judge_ceiling(
        judge,
        price_of(judge.model),
        load_prompt(),
        open_cases,
        answers=plan.calls_per_case,
        answer_tokens=_longest_answer(config, plan),
    )


def _names_estimate(config: Config, plan: Plan) -> QuestionEstimate | None:
    model = config.categories.namer
    if model is None:
        return None
    longest = _longest_answer(config, plan)
    return names_ceiling(config.categories.names, model, plan.cases, answer_tokens=longest)


def _attributes_estimate(config: Config, plan: Plan, store: GenerationStore | None) -> QuestionEstimate | None:
    model, attributes = config.categories.model, config.categories.attributes
    if model is None or not attributes:
        return None
    return estimate_questions(AttributeQuestions(plan.cases, attributes, attribute_prompt()), model, store)


def _answer_judge_estimate(
    config: Config, intake: IngestResult, store: GenerationStore | None
) -> QuestionEstimate | None:
    model, judge = config.judge_model, config.judge
    if model is None or judge is None:
        return None
    return estimate_questions(JudgeQuestions.of(intake.asked, judge, answer_prompt()), model, store)


def _longest_answer(config: Config, plan: Plan) -> int:
    return config.committee.max_tokens + max(variant.extra_tokens for variant in plan.variants)


def confirm_cost(
    config: Config,
    intake: IngestResult,
    plan: Plan,
    store: GenerationStore,
    *,
    progress: Progress,
    confirm: Callable[[PlanResult], bool],
) -> None:
    """Ask the user whether to go on, if the run can cost more than `budget.confirm_above_usd`.

    Raises:
        NotConfirmed: the user does not agree.
    """
    prices = [*plan.prices.values(), *map(price_of, config.models_beside)]
    if not any(price.input or price.output for price in prices):
        return  # a large plan takes a while to estimate, and this one is free
    progress.start("plan", total=len(plan), unit="calls")
    result = estimate_plan(config, intake, plan, store)
    progress.advance(len(plan))
    progress.finish(f"{money(result.ceiling_usd, at_most=True)} at most")
    if result.ceiling_usd > config.budget.confirm_above_usd and not confirm(result):
        raise NotConfirmed(
            f"nothing was spent: {money(result.ceiling_usd, at_most=True)} at most were not agreed to",
            remedy="set a limit you agree to with --max-usd (`budget.max_usd`), or say --yes",
        )
