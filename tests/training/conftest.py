"""Tiny random models with the data to train them on: one task of each kind, milliseconds a step."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from unidelta.tasks import GenerationSpec, TaskSpec
from unidelta.tasks.encode import Encoded, ModelLimits
from unidelta.tasks.encoded_cache import encode
from unidelta.tasks.text_prompt import TextPrompt
from unidelta.training import TrainingSpec
from unidelta.training.evaluate import Evaluator
from unidelta.training.loop import train
from unidelta.training.result import OnLog, TrainResult

from ..task_facts import task_spec

WORDS = ["<s>", "<pad>", "</s>", "<unk>", *(f"w{i}" for i in range(16))]

SPEC = TrainingSpec(
    max_steps=6,
    epochs=None,
    learning_rate=1e-2,
    schedule="polynomial",
    warmup_steps=0,
    warmup_ratio=0.0,
    batch_size=4,
    accumulation=1,
    eval_batch_size=8,
    weight_decay=0.01,
    adam_beta1=0.9,
    adam_beta2=0.98,
    adam_epsilon=1e-6,
    max_grad_norm=1.0,
    label_smoothing=0.0,
    precision="auto",
    eval_every=None,
    device="cpu",
    progress=False,
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A task with its model, tokenizer and encoded splits; `run` trains a fresh copy of the model."""

    task: TaskSpec
    tokenizer: PreTrainedTokenizerFast
    make_model: Callable[..., PreTrainedModel]
    train_split: Encoded
    eval_split: Encoded

    def run(
        self,
        model: PreTrainedModel | None = None,
        *,
        seed: int = 3,
        on_log: OnLog = lambda entry, speed: None,
        **changes: Any,
    ) -> TrainResult:
        spec = replace(SPEC, **changes)
        evaluator = self.evaluator(model or self.make_model(), spec)
        return train(evaluator, self.train_split, self.eval_split, seed=seed, on_log=on_log)

    def evaluator(self, model: PreTrainedModel, spec: TrainingSpec = SPEC) -> Evaluator:
        """A model with this task."""
        return Evaluator(model=model, tokenizer=self.tokenizer, task=self.task, spec=spec)


def _tokenizer() -> PreTrainedTokenizerFast:
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=core, **names)


def _task(name: str, **changes: Any) -> TaskSpec:
    return task_spec(name, max_target_length=8, eval_max_target_length=8, **changes)


def _setting(task: TaskSpec, make_model, rows: list[dict]) -> Setting:
    tokenizer = _tokenizer()
    config = make_model().config
    limits = ModelLimits(vocab_size=config.vocab_size, n_positions=config.max_position_embeddings)
    arguments = {"spec": task, "tokenizer": tokenizer, "limits": limits}
    return Setting(
        task=task,
        tokenizer=tokenizer,
        make_model=make_model,
        train_split=encode(rows[:32], **arguments, split="train"),
        eval_split=encode(rows[32:], **arguments, split="test"),
    )


def _words(i: int, n: int) -> str:
    return " ".join(f"w{(i * 7 + k * (i % 5 + 1)) % 16}" for k in range(n))


def make_bart(**changes: Any) -> BartForConditionalGeneration:
    torch.manual_seed(0)
    sides = {f"{side}_{name}": n for side in ("encoder", "decoder") for name, n in
             (("layers", 1), ("attention_heads", 2), ("ffn_dim", 16))}  # fmt: skip
    sizes = {"vocab_size": len(WORDS), "d_model": 16, "max_position_embeddings": 40, **sides}
    return BartForConditionalGeneration(BartConfig(**{**sizes, "init_std": 0.2, **changes}))


def make_roberta(**changes: Any) -> RobertaForSequenceClassification:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    ends = {
        "vocab_size": len(WORDS),
        "max_position_embeddings": 40,
        "num_labels": 2,
        "initializer_range": 0.2,
    }
    return RobertaForSequenceClassification(RobertaConfig(**{**sizes, **ends, **changes}))


def make_llama(**changes: Any) -> LlamaForCausalLM:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    ends = {"vocab_size": len(WORDS), "intermediate_size": 24, "max_position_embeddings": 40, "initializer_range": 0.3}
    return LlamaForCausalLM(LlamaConfig(**{**sizes, **ends, **changes}))


@pytest.fixture
def spec() -> TrainingSpec:
    """Settings of a run of six steps on the CPU."""
    return SPEC


@pytest.fixture
def summaries() -> Setting:
    """XSum with a one-layer BART; a summary is the first words of its document."""
    generation = GenerationSpec(num_beams=2, max_length=6, min_length=1, no_repeat_ngram_size=0, length_penalty=1.0)
    rows = [{"document": _words(i, 3 + i % 6), "summary": _words(i, 1 + i % 3)} for i in range(44)]
    return _setting(_task("xsum", generation=generation), make_bart, rows)


@pytest.fixture
def translations(summaries: Setting) -> Setting:
    """The same with the rules of the translation task: the best step has the lowest loss."""
    return replace(summaries, task=replace(summaries.task, metrics=("bleu", "bleu_romanian"), select_by="loss"))


@pytest.fixture
def sentences() -> Setting:
    """SST-2 with a one-layer RoBERTa; a sentence is positive if it begins with an even word."""
    rows = [{"sentence": _words(i, 2 + i % 6), "label": (i * 7 % 16 + 1) % 2} for i in range(44)]
    return _setting(_task("sst2"), make_roberta, rows)


@pytest.fixture
def continuations() -> Setting:
    """XSum with a two-layer Llama, which writes the summary after the document."""
    generation = GenerationSpec(num_beams=2, max_length=6, min_length=1, no_repeat_ngram_size=0, length_penalty=1.0)
    rows = [{"document": _words(i, 3 + i % 6), "summary": _words(i, 1 + i % 3)} for i in range(44)]
    task = _task("xsum", generation=generation, prompt=TextPrompt(template="{source} w3"))
    return _setting(task, make_llama, rows)


@pytest.fixture
def spelled() -> Setting:
    """SST-2 with a two-layer Llama, which writes one word for a positive sentence and two for a negative one."""
    rows = [{"sentence": _words(i, 2 + i % 6), "label": (i * 7 % 16 + 1) % 2} for i in range(44)]
    prompt = TextPrompt(template="{text} w5", label_words=("w1 w2", "w4"))
    return _setting(_task("sst2", prompt=prompt), make_llama, rows)
