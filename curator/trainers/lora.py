"""LoRA fine-tuning of the bundled small model with transformers and peft, on the CPU.

The weights come from the GGUF file of the local model, dequantised, so that no model has to be downloaded. Only the tokens of the
answers count in the loss. Adapters: Hu et al. 2021, https://arxiv.org/abs/2106.09685
"""

from __future__ import annotations

import contextlib
import io
import logging
import random
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.records import Message
from curator.trainers.answer_server import Question, Reply

if TYPE_CHECKING:
    import torch

MOST_TOKENS = 2048
"""The most tokens of a row or a prompt with its answer, as with the local model of the committee."""
_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_WARMUP = 0.1
_CLIP = 1.0


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """The settings of a training.

    Attributes:
        epochs: passes over the rows.
        learning_rate: the highest one; it rises over the first tenth of the steps, and falls linearly to 0.
        rank: of the adapters; their scale is twice as large.
        batch_rows: rows of one step.
        seed: of the adapters' initial weights, of the order of the rows, and of dropout.
    """

    epochs: int
    learning_rate: float
    rank: int
    batch_rows: int
    seed: int


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A row as tokens: the prompt, and the answer with the token that ends a turn."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of its tokens."""
        return len(self.prompt) + len(self.answer)


class SmallModel:
    """The small model with its tokenizer, as `load` gives it."""

    def __init__(self, model: Any, tokenizer: Any) -> None:  # noqa: ANN401  (their types are untyped)
        self.model = model
        self._tokenizer = tokenizer

    def prompt_tokens(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """Return the tokens of a conversation, up to where the assistant's turn begins."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = self._tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def row(self, messages: Sequence[Message], answer: str) -> TokenRow:
        """Return a row as tokens.

        A prompt that is too long loses its beginning, and an answer that is too long its end.
        """
        ids = tuple(self._tokenizer(answer, add_special_tokens=False)["input_ids"])
        target = (*ids[: MOST_TOKENS // 2 - 1], self._tokenizer.eos_token_id)
        return TokenRow(self.prompt_tokens(messages)[-(MOST_TOKENS - len(target)) :], target)

    def fit(self, rows: Sequence[TokenRow], settings: LoraSettings, step: Callable[[int, float], None]) -> None:
        """Train adapters on the rows.

        Args:
            rows: at least one.
            settings: see `LoraSettings`.
            step: called after each step with its number of rows and the mean loss of their answers' tokens, in nats. It may raise.
        """
        import torch
        from peft import LoraConfig, get_peft_model

        with torch.random.fork_rng(devices=[]), _silenced():
            torch.manual_seed(settings.seed)
            config = LoraConfig(
                r=settings.rank,
                lora_alpha=2 * settings.rank,
                lora_dropout=0.05,
                target_modules=list(_LINEAR),
                task_type="CAUSAL_LM",
            )
            self.model = get_peft_model(self.model, config)
            self.model.train()
            trained = [weight for weight in self.model.parameters() if weight.requires_grad]
            optimiser = torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=0.0)
            batches = list(_batches(len(rows), settings))
            for number, batch in enumerate(batches):
                for group in optimiser.param_groups:
                    group["lr"] = settings.learning_rate * _share_of_rate(number, len(batches))
                loss = self._backward([rows[place] for place in batch])
                torch.nn.utils.clip_grad_norm_(trained, _CLIP)
                optimiser.step()
                optimiser.zero_grad()
                step(len(batch), loss)
        self.model.eval()

    def _backward(self, rows: Sequence[TokenRow]) -> float:
        """Add the gradients of the mean loss of all answer tokens; return it."""
        import torch

        total = 0.0
        count = sum(len(row.answer) for row in rows)
        for row in rows:  # one at a time: on a CPU padding costs more than a batch gains
            logits = self._answer_logits(row)
            targets = torch.tensor(row.answer)
            loss = torch.nn.functional.cross_entropy(logits, targets, reduction="sum") / count
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return total

    def _answer_logits(self, row: TokenRow) -> torch.Tensor:
        """Return the logits of the answer's tokens, (n, vocabulary)."""
        import torch

        ids = torch.tensor([[*row.prompt, *row.answer[:-1]]])
        output = self.model(input_ids=ids, logits_to_keep=len(row.answer), use_cache=False)
        logits: torch.Tensor = output.logits[0]
        return logits

    def loss(self, row: TokenRow) -> float:
        """Return the mean loss of the answer's tokens, in nats."""
        import torch

        with torch.no_grad():
            return float(torch.nn.functional.cross_entropy(self._answer_logits(row), torch.tensor(row.answer)))

    def save(self, folder: Path) -> None:
        """Save the adapters; an earlier folder of that name is replaced once all is written."""
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        with _silenced():
            self.model.save_pretrained(partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)

    def reply(self, question: Question) -> Reply:
        """Generate an answer; with temperature 0 the most probable token each time.

        Raises:
            ValueError: the prompt leaves no room for an answer.
        """
        import torch

        prompt = self.prompt_tokens(question.messages)
        room = MOST_TOKENS - len(prompt)
        if room < 1:
            raise ValueError(f"the prompt has {len(prompt)} tokens, and the context {MOST_TOKENS}")
        sampling = {"do_sample": True, "temperature": question.temperature, "top_p": question.top_p, "top_k": 0}
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            if question.seed is not None:
                torch.manual_seed(question.seed)
            ids = torch.tensor([prompt])
            output = self.model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=min(question.max_tokens, room),
                pad_token_id=self._tokenizer.eos_token_id,
                **(sampling if question.temperature > 0 else {"do_sample": False}),
            )
        answer = output[0].tolist()[len(prompt) :]
        ended = bool(answer) and answer[-1] == self._tokenizer.eos_token_id
        text = self._tokenizer.decode(answer, skip_special_tokens=True)
        return Reply(text, len(prompt), len(answer), cut=not ended)


def load(weights: Path, adapter: Path | None = None) -> SmallModel:
    """Load the model from its GGUF file, with the adapters in a folder merged into it.

    It takes some seconds and 600 MB of memory.

    Raises:
        OSError: the adapters are missing.
        ValueError: they are damaged.
    """
    with _silenced():
        model, tokenizer = _base(weights)
        if adapter is not None:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    model.train(mode=False)
    return SmallModel(model, tokenizer)


def _base(weights: Path) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with contextlib.redirect_stderr(io.StringIO()):  # a bar that no setting turns off
        tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
        model = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name, dtype=torch.float32)
    return model, tokenizer


def _batches(count: int, settings: LoraSettings) -> Iterator[list[int]]:
    """Yield the places of the rows of each step, each epoch in an order of its own."""
    drawn = random.Random(settings.seed)  # noqa: S311  an order, not a secret
    for _ in range(settings.epochs):
        order = drawn.sample(range(count), count)
        for first in range(0, count, settings.batch_rows):
            yield order[first : first + settings.batch_rows]


def _share_of_rate(number: int, steps: int) -> float:
    warmup = max(1, round(_WARMUP * steps))
    return min(1.0, (number + 1) / warmup) * min(1.0, (steps - number) / max(1, steps - warmup))


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep the libraries from writing to stderr; failures come as exceptions."""
    from transformers.utils import logging as bars

    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()  # type: ignore[no-untyped-call]
    loggers: Mapping[str, int] = {name: logging.getLogger(name).level for name in ("transformers", "peft")}
    try:
        for name in loggers:
            logging.getLogger(name).setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in loggers.items():
            logging.getLogger(name).setLevel(level)
        if shown:
            bars.enable_progress_bar()  # type: ignore[no-untyped-call]
