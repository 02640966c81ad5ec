"""RoBERTa (Liu et al. 2019): BERT's layers, positions that start after the padding index, a head of two maps."""

from dataclasses import replace

from unidelta.design.architecture import Surroundings
from unidelta.design.family import FAMILIES, Config, Released
from unidelta.design.site import LinearShape
from unidelta.families import bert


def surroundings(config: Config, n_labels: int) -> Surroundings:
    """Embeddings, norms, and the head: dense, then one output for each label."""
    d = config["hidden_size"]
    head = (LinearShape(d_in=d, d_out=d), LinearShape(d_in=d, d_out=n_labels))
    return Surroundings(embeddings=bert.embeddings(config), norms=bert.norms(config), head=head)


FAMILIES.register(
    replace(
        FAMILIES["bert"],
        name="roberta",
        surroundings=surroundings,
        max_positions=lambda config: config["max_position_embeddings"] - config["pad_token_id"] - 1,
        optional={"pad_token_id": lambda config: 1},
        may_lack=(),
        released=Released(freezes_head=True),
    )
)
