"""Prompt tuning of a decoder alone, or where positions are relative (T5): the vectors in `prompt_embeddings`."""

from collections.abc import Iterator, Sequence
from typing import Any

from transformers import PreTrainedModel

from unidelta.design.spec import Design, PromptTuning
from unidelta.errors import ExchangeError
from unidelta.exchange.peft.method import Foreign, PeftMethod
from unidelta.exchange.tie import Tie
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.injection import Injection

_STACKS = 1  # with 2, peft also has vectors for the decoder of an encoder-decoder, and never reads them


class PeftPrompt(PeftMethod):
    """`PromptTuningConfig(num_transformer_submodules=1)`."""

    peft_type = "PROMPT_TUNING"
    reads = frozenset({"num_virtual_tokens", "token_dim", "num_transformer_submodules"})
    ignores = frozenset(
        "prompt_tuning_init prompt_tuning_init_text tokenizer_name_or_path tokenizer_kwargs num_attention_heads"
        " num_layers".split()
    )

    def is_of(self, injection: Injection) -> bool:
        """A prompt."""
        return isinstance(injection.design, PromptTuning)

    def obstacles(self, injection: Injection) -> Iterator[str]:
        """An encoder's learned positions, which peft gives to the prompt as well."""
        yield from _no_place(injection.model)

    def config(self, injection: Injection) -> dict[str, Any]:
        """Sizes."""
        architecture = architecture_of_model(injection.model)
        assert isinstance(injection.design, PromptTuning)
        return {
            "num_virtual_tokens": injection.design.length,
            "token_dim": architecture.width,
            "num_transformer_submodules": _STACKS,
            "num_attention_heads": architecture.sites[0].n_heads,
            "num_layers": max(architecture.attention_kinds.values()),
            "prompt_tuning_init": "RANDOM",
        }

    def ties(self, injection: Injection) -> Sequence[Tie]:
        """The vectors."""
        (name,) = (name for name in injection.stored_state() if name.endswith(".deltas.prompt.vectors"))
        return [Tie(theirs="prompt_embeddings", ours=(name,))]

    def design(self, foreign: Foreign, model: PreTrainedModel) -> Design:
        """A prompt of as many vectors."""
        length, n_stacks = foreign.config.get("num_virtual_tokens"), foreign.config.get("num_transformer_submodules")
        wrong = list(_no_place(model))
        if not isinstance(length, int) or length < 1:
            wrong.append(f"num_virtual_tokens is {length}")
            length = 0
        if n_stacks != _STACKS:
            wrong.append(f"num_transformer_submodules is {n_stacks}, and here a prompt is for one stack")
        if wrong:
            raise ExchangeError(foreign.asked, "; ".join(wrong), "a prompt of peft for a decoder or T5's encoder")
        return PromptTuning(length=length)


def _no_place(model: PreTrainedModel) -> Iterator[str]:
    family = architecture_of_model(model).family
    if family.kind == "encoder":
        yield "an encoder alone has no prompt here: its classifier reads the first position"
    elif family.encoder_positions is not None:
        yield "peft gives positions to the prompt and moves the text behind it; here the text keeps its positions"
