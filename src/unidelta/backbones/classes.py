"""transformers' model class of each kind of architecture, as tasks need it: with its language-model or its new head."""

from typing import Any

from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

MODEL_CLASSES: dict[str, Any] = {
    "encoder-decoder": AutoModelForSeq2SeqLM,
    "encoder": AutoModelForSequenceClassification,
    "decoder": AutoModelForCausalLM,
}
"""By `Family.kind`."""
