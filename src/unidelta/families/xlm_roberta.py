"""XLM-RoBERTa (Conneau et al. 2020): RoBERTa in a hundred languages, by another name."""

from dataclasses import replace

from unidelta.design.family import FAMILIES, Released

FAMILIES.register(replace(FAMILIES["roberta"], name="xlm-roberta", released=Released()))
