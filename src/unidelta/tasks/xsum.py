"""XSum: one-sentence summaries of BBC articles (Narayan et al. 2018)."""

from unidelta.tasks.metrics.rouge import ROUGE
from unidelta.tasks.task import Column, Selection, TaskKind

XSUM = TaskKind(
    name="xsum",
    title="XSum",
    kind="seq2seq",
    columns=(Column(path=("document",), holds="text"), Column(path=("summary",), holds="text")),
    label_names=(),
    sources=lambda row: (row["document"],),
    target=lambda row: row["summary"],
    metric=ROUGE,
    # He et al. 2022, Appendix A.2: best dev ROUGE-2.
    selection=Selection(metric="rouge2", higher_is_better=True),
)
