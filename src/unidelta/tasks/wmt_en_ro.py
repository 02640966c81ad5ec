"""WMT 2016 English to Romanian (configuration `ro-en` of wmt16, read from English to Romanian)."""

from unidelta.tasks.metrics.bleu import BLEU
from unidelta.tasks.task import Column, Selection, TaskKind

WMT_EN_RO = TaskKind(
    name="wmt_en_ro",
    title="WMT",
    kind="seq2seq",
    columns=(
        Column(path=("translation", "en"), holds="text"),
        Column(path=("translation", "ro"), holds="text"),
    ),
    label_names=(),
    sources=lambda row: (row["translation"]["en"],),
    target=lambda row: row["translation"]["ro"],
    metric=BLEU,
    # He et al. 2022, Appendix A.2: best dev perplexity, a monotone function of the loss per token.
    selection=Selection(metric="loss", higher_is_better=False),
)
