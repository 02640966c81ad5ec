"""transformers' model class for each kind of architecture and task: with a language-model head or a new head."""

from typing import Any

from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

from unidelta.design.family import Family

MODEL_CLASSES: dict[str, Any] = {
    "encoder-decoder": AutoModelForSeq2SeqLM,
    "encoder": AutoModelForSequenceClassification,
    "decoder": AutoModelForCausalLM,
}
"""By `Family.kind`, as the architecture was pretrained; an encoder with the head of a classifier."""


def model_class(family: Family, *, n_labels: int) -> Any:
    """The class for a task: of a decoder that tells `n_labels` labels apart, a classifier of its last token."""
    return AutoModelForSequenceClassification if n_labels else MODEL_CLASSES[family.kind]
