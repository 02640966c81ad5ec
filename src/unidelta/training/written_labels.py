"""Labels as words: a decoder-only model chooses the label whose words it finds likeliest after the prompt.

B batch, C classes, T longest word in tokens, V vocabulary.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from unidelta.tasks import TaskSpec
from unidelta.tasks.collate import IGNORED_LABEL, Collator
from unidelta.tasks.features import Feature
from unidelta.tasks.prompted import label_ids
from unidelta.training.loss import logits_of


class WrittenLabels:
    """The words of a task's labels.

    Args:
        task: a task whose labels are written.
        tokenizer: of the model.
    """

    def __init__(self, task: TaskSpec, tokenizer: PreTrainedTokenizerBase) -> None:
        self._ids = [np.asarray(ids, dtype=np.int32) for ids in label_ids(task, tokenizer)]
        self._classes = {ids.tobytes(): i for i, ids in enumerate(self._ids)}

    def class_of(self, ids: np.ndarray) -> int:
        """The class whose word has these token ids."""
        return self._classes[np.asarray(ids, dtype=np.int32).tobytes()]

    def scores(self, model: PreTrainedModel, features: Sequence[Feature], collate: Collator) -> Tensor:
        """The logarithm of each word's probability after each prompt, its end token included, (B, C)."""
        scores: list[Tensor] = []
        for ids in self._ids:
            batch = collate([{**feature, "labels": ids} for feature in features])
            batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
            labels_BT = batch.pop("labels")
            logp_BTV = logits_of(model, batch).float().log_softmax(-1)
            is_word_BT = labels_BT != IGNORED_LABEL
            logp_BT = logp_BTV.gather(-1, labels_BT.clamp(min=0)[..., None]).squeeze(-1)
            scores.append((logp_BT * is_word_BT).sum(-1))
        return torch.stack(scores, dim=-1)
