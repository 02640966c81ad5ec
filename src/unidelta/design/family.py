"""The descriptor of an architecture: where its attentions and FFNs are, by name; no torch until a model is given.

Each file in `families/` registers one; a user's package does the same (`unidelta.register`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from unidelta.design.axes import Source
from unidelta.extensions.registry import Registry

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

    from unidelta.design.architecture import Surroundings
    from unidelta.design.site import SiteShape
    from unidelta.hosts.site import Site

Config = Mapping[str, Any]
"""The content of a config.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What the authors' released code does for only one architecture (docs/fidelity.md).

    Args:
        norms_multihead_query: its multi-head parallel adapter reads W_q LN(x), undivided by √d_h (row 5 there).
        ffn_adapter_reads_stream: its parallel adapter at the FFN reads what the layer norm reads (row 4 there).
        freezes_head: a new classification head stays at its random values.
    """

    norms_multihead_query: bool = False
    ffn_adapter_reads_stream: bool = False
    freezes_head: bool = False


def _nothing_odd(config: Config) -> Iterator[str]:
    return iter(())


def _all_tied(config: Config) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """An architecture that supports deltas.

    Args:
        name: as `model_type` in config.json.
        kind: encoder, decoder or encoder-decoder.
        is_pre_norm: whether the layer norm precedes the sub-layer: x + Sub(LN(x)).
        keys: the keys of config.json that determine sizes; a checkpoint that lacks one is refused.
        sites: the shapes of attentions and FFNs, attentions first, from a config.json.
        surroundings: everything outside of them, from a config.json and the number of labels.
        max_positions: longest input in tokens.
        hosts: the same sites in a model, in the same order.
        tiny: the config.json, without `model_type`, of a model small enough for tests and `unidelta.check`.
        head: name of the classification head in a model; None for models without one. A decoder has one only where it
            was loaded to classify: it then reads the last token, and no language-model head is left.
        may_lack: modules that a checkpoint may lack, because it was pretrained for another task; new ones are drawn
            from the seed.
        odd: a sentence for each setting of a config.json that this architecture does not support.
        optional: keys of config.json that may be missing or null, each with its meaning then.
        sources: what a parallel form at the FFN can read; the same tensor in post-LN models.
        is_rotary: whether positions rotate queries and keys.
        takes_positions: whether the stack takes the positions of its tokens as an input, `position_ids`.
        encoder_positions: name of the module of absolute positions in an encoder with a decoder, if there is one.
        encoder_scale: name of that encoder's factor of token embeddings, where they do not apply it themselves.
        untied: parameters that checkpoints of such a config.json keep apart, though a model made from it ties them.
        dropouts: names of hidden and attention dropout in config.json; None if there is none.
        released: what the authors' code does for this architecture only.
        has_languages: whether its tokenizer marks texts with the code of their language.
    """

    name: str
    kind: Literal["encoder-decoder", "encoder", "decoder"]
    is_pre_norm: bool
    keys: tuple[str, ...]
    sites: Callable[[Config], "list[SiteShape]"]
    surroundings: "Callable[[Config, int], Surroundings]"
    max_positions: Callable[[Config], int]
    hosts: "Callable[[PreTrainedModel], list[Site]]"
    tiny: Config
    head: str | None = None
    may_lack: tuple[str, ...] = ()
    odd: Callable[[Config], Iterator[str]] = _nothing_odd
    optional: Mapping[str, Callable[[Config], Any]] | None = None
    sources: tuple[Source, ...] = tuple(Source)
    is_rotary: bool = False
    takes_positions: bool = False
    encoder_positions: str | None = None
    encoder_scale: str | None = None
    untied: Callable[[Config], tuple[str, ...]] = _all_tied
    dropouts: tuple[str | None, str | None] = (None, None)
    released: Released = Released()
    has_languages: bool = False

    @property
    def is_encoder_decoder(self) -> bool:
        """True for sequence-to-sequence models."""
        return self.kind == "encoder-decoder"

    def head_of(self, model: "PreTrainedModel") -> "nn.Module | None":
        """The classification head of a model, None for a model without one."""
        return None if self.head is None else dict(model.named_children()).get(self.head)


FAMILIES: Registry[Family] = Registry(
    Family, "architecture", package="unidelta.families", first=("bart", "mbart", "roberta", "bert")
)
"""Every architecture by its `model_type`."""
