"""The generation of a run: everything that affects outputs is set here, not inherited silently.

B batch, S source length, L length of outputs.
"""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from unidelta.tasks import TaskSpec
from unidelta.tasks.causal import prompts_of


def generate(
    model: PreTrainedModel, batch: Mapping[str, Tensor], *, task: TaskSpec, tokenizer: PreTrainedTokenizerBase
) -> Tensor:
    """Outputs (B, L) for the sources of a batch, which holds no labels; of a decoder-only model without the prompts."""
    if task.prompt is None:
        # The output starts as it did in training, with the first token of the decoder's input.
        start = int(batch["decoder_input_ids"][0, 0])
        sources = {name: tensor for name, tensor in batch.items() if name != "decoder_input_ids"}
        config = generation_config(model, task=task, tokenizer=tokenizer, start_token_id=start)
        return cast(Any, model).generate(**sources, generation_config=config)
    prompts = prompts_of(batch)
    n_prompt = prompts["input_ids"].shape[1]
    config = continuation_config(model, task=task, tokenizer=tokenizer)
    assert task.generation is not None  # as every task that generates has
    n = task.generation.no_repeat_ngram_size
    own = LogitsProcessorList([OutputOnly(NoRepeatNGramLogitsProcessor(n), n_prompt)] if n else [])
    return cast(Any, model).generate(**prompts, generation_config=config, logits_processor=own)[:, n_prompt:]


class OutputOnly(LogitsProcessor):
    """A rule for outputs that does not look at the prompt: an n-gram of the document may occur once in its summary.

    Args:
        rule: the rule.
        n_prompt: tokens of the prompts, padding included.
    """

    def __init__(self, rule: LogitsProcessor, n_prompt: int) -> None:
        self._rule, self._n_prompt = rule, n_prompt

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> Tensor:
        """The scores (B, V) of the next token, after tokens `input_ids` (B, S + L)."""
        return self._rule(cast(torch.LongTensor, input_ids[:, self._n_prompt :]), scores)


def continuation_config(
    model: PreTrainedModel, *, task: TaskSpec, tokenizer: PreTrainedTokenizerBase
) -> GenerationConfig:
    """The task's beam search settings for a decoder-only model, as `generation_config`.

    Lengths are those of outputs without the prompt; its last token stands for the start token that they count.
    """
    assert task.generation is not None
    config = generation_config(model, task=task, tokenizer=tokenizer, start_token_id=0)
    config.update(
        decoder_start_token_id=None,
        max_length=None,
        min_length=None,
        max_new_tokens=task.generation.max_length - 1,
        min_new_tokens=max(0, task.generation.min_length - 1),
        no_repeat_ngram_size=0,
    )
    return config


def generation_config(
    model: PreTrainedModel, *, task: TaskSpec, tokenizer: PreTrainedTokenizerBase, start_token_id: int
) -> GenerationConfig:
    """The task's beam search settings, with the special tokens of the model.

    `model.generate` fills whatever is None here from the checkpoint's own configuration, so settings that
    could come from there get their neutral value.

    Args:
        model: the model that generates.
        task: the task; must have generation settings.
        tokenizer: gives the special tokens.
        start_token_id: first token of the decoder's input, as in training: `</s>` for BART, the code of the
            target language for mBART.

    Raises:
        ValueError: the task has no generation settings.
    """
    spec, own = task.generation, model.generation_config
    if spec is None:
        raise ValueError(f"The task {task.name} does not generate.")
    return GenerationConfig(
        num_beams=spec.num_beams,
        max_length=spec.max_length,
        min_length=spec.min_length,
        no_repeat_ngram_size=spec.no_repeat_ngram_size,
        length_penalty=spec.length_penalty,
        # Not set by the authors, so the checkpoint's value is used: True for facebook/bart-large.
        early_stopping=own.early_stopping or False,
        decoder_start_token_id=start_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        forced_bos_token_id=own.forced_bos_token_id,
        forced_eos_token_id=own.forced_eos_token_id,
        do_sample=False,
        num_return_sequences=1,
        repetition_penalty=1.0,
        encoder_no_repeat_ngram_size=0,
        use_cache=True,
    )
