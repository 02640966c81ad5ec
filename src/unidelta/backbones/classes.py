"""transformers' model class for each kind of architecture and task: with a language-model head or a new head."""

from typing import Any

from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

MODEL_CLASSES: dict[str, Any] = {
    "encoder-decoder": AutoModelForSeq2SeqLM,
    "encoder": AutoModelForSequenceClassification,
    "decoder": AutoModelForCausalLM,
}
"""By `Family.kind`."""
