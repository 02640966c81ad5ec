"""BERT (Devlin et al. 2019): an encoder in which the layer norm follows the residual sum; classifies by a pooler."""

from typing import TYPE_CHECKING

from unidelta.design.architecture import Surroundings
from unidelta.design.axes import Slot
from unidelta.design.family import FAMILIES, Config, Family
from unidelta.design.site import LinearShape, SiteShape, in_every_layer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from unidelta.hosts.site import Site

KEYS = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "intermediate_size",
    "num_attention_heads",
    "max_position_embeddings",
    "type_vocab_size",
)

TINY = {
    **{"vocab_size": 41, "hidden_size": 12, "num_hidden_layers": 2, "intermediate_size": 20},
    **{"num_attention_heads": 3, "max_position_embeddings": 40, "type_vocab_size": 2, "pad_token_id": 1},
}


def sites(config: Config, *, stack: str = "encoder") -> list[SiteShape]:
    """Self-attentions, then FFNs."""
    d, f, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    attention = {role: LinearShape(d_in=d, d_out=d) for role in ("query", "key", "value", "output")}
    ffn = {"up": LinearShape(d_in=d, d_out=f), "down": LinearShape(d_in=f, d_out=d)}
    layers = config["num_hidden_layers"]
    shared = {"slot": Slot.ATTN, "width": d, "n_heads": heads, "n_kv_heads": heads, "head_width": d // heads}
    return [
        *in_every_layer({f"{stack}_self": layers}, **shared, linears=attention),
        *in_every_layer({f"{stack}_ffn": layers}, slot=Slot.FFN, width=d, linears=ffn),
    ]


def embeddings(config: Config) -> int:
    """Elements of token, position and segment embeddings."""
    n_rows = config["vocab_size"] + config["max_position_embeddings"] + config["type_vocab_size"]
    return n_rows * config["hidden_size"]


def norms(config: Config) -> tuple[int, ...]:
    """Two in each layer, one after the embeddings."""
    return (config["hidden_size"],) * (2 * config["num_hidden_layers"] + 1)


def surroundings(config: Config, n_labels: int) -> Surroundings:
    """Embeddings, norms, the pooler and a classifier on it."""
    d = config["hidden_size"]
    return Surroundings(
        embeddings=embeddings(config),
        norms=norms(config),
        maps=(LinearShape(d_in=d, d_out=d),),
        head=(LinearShape(d_in=d, d_out=n_labels),),
    )


def hosts(model: "PreTrainedModel") -> "list[Site]":
    """The same sites in a model."""
    from unidelta.hosts.bert import encoder_sites

    return encoder_sites(model)


FAMILIES.register(
    Family(
        name="bert",
        kind="encoder",
        is_pre_norm=False,
        keys=KEYS,
        sites=sites,
        surroundings=surroundings,
        max_positions=lambda config: config["max_position_embeddings"],
        hosts=hosts,
        tiny=TINY,
        head="classifier",
        may_lack=("bert.pooler",),  # what was pretrained as a masked language model alone has none
        dropouts=("hidden_dropout_prob", "attention_probs_dropout_prob"),
    )
)
