"""The pairs that the paper orders, against pandas and the printed numbers."""

import math

import pytest

from unidelta.analysis.agreement import ordered
from unidelta.analysis.claims import CLAIMS, claims
from unidelta.analysis.paper_rows import key_of_row

from .made_runs import PRINTED, ROOT, claimed, every, runs_of


def test_the_claims_pairs_are_the_distinct_ones_that_they_order():
    expected = set()
    for claim in claims(PRINTED, ROOT / CLAIMS):
        keys = (claim.first.key, claim.second.key)
        if claim.kind in ("above", "below") and claim.first.value != claim.second.value:
            larger, smaller = keys if claim.first.value > claim.second.value else keys[::-1]
            expected.add((claim.task, claim.metric, larger, smaller))
    simple = [pair for pair in claimed().values() if len(pair.sides) == 2]
    found = [(pair.task, pair.metric, *(side.key for side in pair.sides)) for pair in simple]
    assert len(found) == len(expected) and set(found) == expected
    assert {pair.name for pair in claimed().values() if len(pair.sides) == 4} == {"C7e", "C9b"}
    assert "C16-xsum-pa_ffn" in claimed() and "C17d-xsum" not in claimed()  # one pair
    assert all(pair.margin > 0 for pair in claimed().values())


def test_of_an_interaction_the_difference_of_differences_is_compared():
    heads, shrunk = claimed()["C7e"], claimed()["C9b"]
    assert heads.margin == (35.3 * 10 - 33.7 * 10 - (35.8 * 10 - 35.6 * 10)) / 10 == 1.4
    assert shrunk.margin == 1.5  # (35.6 − 33.7) − (35.6 − 35.2)
    assert heads.words == "multi-head PA (attn) 30 − PA (attn) 30 > multi-head PA (attn) 200 − PA (attn) 200"
    assert shrunk.words == "PA (attn) 200 − PA (attn) 30 > prefix (attn) 200 − prefix (attn) 30"
    means = {"mh_pa_attn@30": 9.0, "pa_attn@30": 6.0, "mh_pa_attn@200": 20.0, "pa_attn@200": 16.0}
    runs = runs_of({(key, "wmt_en_ro", "bleu"): [mean] for key, mean in means.items()})
    ((one,), missing) = ordered([heads], runs)
    assert (one.difference, one.right, missing) == (-1.0, 0.0, [])


def test_pairs_of_rows_are_those_of_a_join_of_each_table_with_itself():
    frame = PRINTED[(PRINTED["provenance"] != "script-only") & (PRINTED["method"] != "full_ft_published")].copy()
    frame["key"] = [key_of_row(row) for row in frame.to_dict("records")]
    frame["value"] = frame["value"].astype(float)
    columns = ["artefact", "task", "metric"]
    joined = frame.merge(frame, on=columns, suffixes=("", "_2"))
    joined = joined[joined["value"] > joined["value_2"]]
    expected = {(row["task"], row["metric"], frozenset((row["key"], row["key_2"]))) for _, row in joined.iterrows()}
    found = [(pair.task, pair.metric, pair.designs) for pair in every()]
    assert len(found) == len(expected) and set(found) == expected
    printed = {tuple(row) for row in joined[[*columns, "key", "key_2"]].itertuples(index=False)}
    assert {(p.name, p.task, p.metric, *(side.key for side in p.sides)) for p in every()} <= printed
    conflict = next(p for p in every() if p.designs == {"sa_ffn@200", "prefix@200"} and p.metric == "R2")
    assert (conflict.name, conflict.margin) == ("Table 3", 0.48)  # Figure 4 plots 20.4 for 19.98


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("C16-xsum-pa_ffn", math.sqrt((0.01**2 + 0.17**2) / 3)),  # Table 6: three seeds each
        ("C19-mnli-prefix", math.sqrt((0.3**2 + 0.4**2) / 5)),  # Table 2: five
        ("C19-mnli-bitfit", math.sqrt(0.3**2 / 5 + 0.4**2)),  # one without ±: the largest of the metric, for one run
        ("C4b-xsum-ffn-200", math.sqrt(2 * 0.19**2)),
        ("C7e", math.sqrt(4 * 0.3**2)),
    ],
)
def test_the_error_of_a_margin_is_that_of_its_means(name: str, error: float):
    assert claimed()[name].error == pytest.approx(error, rel=1e-12)
