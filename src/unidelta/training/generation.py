"""The generation configuration of a run: everything that affects outputs is set here, not inherited silently."""

from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from unidelta.tasks import TaskSpec


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
