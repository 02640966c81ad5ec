"""ELECTRA (Clark et al. 2020): BERT's layers; embeddings may be narrower than the model; a head of two maps."""

from dataclasses import replace

from unidelta.design.architecture import Surroundings
from unidelta.design.family import FAMILIES, Config
from unidelta.design.site import LinearShape
from unidelta.families import bert


def surroundings(config: Config, n_labels: int) -> Surroundings:
    """Embeddings and their norm, the map from their width to the model's if they differ, norms, and the head."""
    d, narrow = config["hidden_size"], config["embedding_size"]
    return Surroundings(
        embeddings=bert.embeddings({**config, "hidden_size": narrow}),
        norms=(narrow, *bert.norms(config)[1:]),
        maps=(LinearShape(d_in=narrow, d_out=d),) if narrow != d else (),
        head=(LinearShape(d_in=d, d_out=d), LinearShape(d_in=d, d_out=n_labels)),
    )


FAMILIES.register(
    replace(
        FAMILIES["bert"],
        name="electra",
        keys=(*bert.KEYS, "embedding_size"),
        surroundings=surroundings,
        tiny={**bert.TINY, "embedding_size": 10},
        may_lack=(),
    )
)
