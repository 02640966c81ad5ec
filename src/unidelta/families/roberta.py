"""RoBERTa (Liu et al. 2019): BERT's layers, positions that start after the padding index, a head of two maps."""

from unidelta.design.architecture import Surroundings
from unidelta.design.family import FAMILIES, Config, Family, Released
from unidelta.design.site import LinearShape
from unidelta.families.bert import KEYS, TINY, embeddings, hosts, norms, sites


def surroundings(config: Config, n_labels: int) -> Surroundings:
    """Embeddings, norms, and the head: dense, then one output for each label."""
    d = config["hidden_size"]
    head = (LinearShape(d_in=d, d_out=d), LinearShape(d_in=d, d_out=n_labels))
    return Surroundings(embeddings=embeddings(config), norms=norms(config), head=head)


FAMILIES.register(
    Family(
        name="roberta",
        kind="encoder",
        is_pre_norm=False,
        keys=KEYS,
        sites=sites,
        surroundings=surroundings,
        max_positions=lambda config: config["max_position_embeddings"] - config["pad_token_id"] - 1,
        hosts=hosts,
        tiny=TINY,
        head="classifier",
        optional={"pad_token_id": lambda config: 1},
        dropouts=("hidden_dropout_prob", "attention_probs_dropout_prob"),
        released=Released(freezes_head=True),
    )
)
