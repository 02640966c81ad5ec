"""What a report says, in a few sentences at the top of its page."""

from collections import Counter
from collections.abc import Sequence

from unidelta.analysis.claims import GROUPS
from unidelta.analysis.runs import Runs
from unidelta.analysis.tables import shown
from unidelta.analysis.verdicts import Verdict, counted

_BEST, _FULL = "mam@30;512", "full_ft"


def findings(verdicts: Sequence[Verdict], runs: Runs) -> tuple[str, ...]:
    """Sentences: how many claims hold, which do and which do not, and how MAM and full fine-tuning compare."""
    verdicts = [verdict for verdict in verdicts if not verdict.same_as]
    counts = Counter(verdict.word for verdict in verdicts)
    if not verdicts or counts["not run"] == len(verdicts):
        return ("No comparison has runs yet.",)
    n = max(verdict.difference.n for verdict in verdicts)
    sentences = [f"Of the paper's {len(verdicts)} distinct comparisons: {counted(verdicts)}, with up to {n} seeds."]
    decided = [verdict for verdict in verdicts if verdict.word in ("supported", "contradicted")]
    groups = dict.fromkeys(verdict.claim.group for verdict in decided)
    if groups:
        sentences.append(f"Decided: {'; '.join(_counted(group, decided) for group in groups)}.")
    ours, full = (runs.score(key, "xsum", "R2") for key in (_BEST, _FULL))
    if ours.n and full.n:
        sentences.append(f"MAM, ROUGE-2 on summaries: {shown(ours, 1)}; full fine-tuning {shown(full, 1)}.")
    return tuple(sentences)


def _counted(group: str, decided: Sequence[Verdict]) -> str:
    words = [verdict.word for verdict in decided if verdict.claim.group == group]
    said = (("supported", "holds", "hold"), ("contradicted", "does not", "do not"))
    counts = ", ".join(f"{n} {one if n == 1 else several}" for word, one, several in said if (n := words.count(word)))
    return f"{GROUPS[group].rpartition(' (')[0]}: {counts}"
