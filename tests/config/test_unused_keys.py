"""What somebody typed is read, or refused with what to type instead."""

import pytest

from unidelta.config.compose import compose
from unidelta.errors import Problems

IN_TOKENS = "task=wmt_en_ro scale=paper"
UNREAD = {
    "method=lora method.ffn.bottleneck=64": "leave method.ffn.bottleneck out, or position=ffn",
    "method=mam position=ffn method.attn.bottleneck=3 method.attn.init=activations": (
        "leave method.attn.bottleneck method.attn.init out, or position=attn"
    ),
    "method=adapter budget=percent budget.percent=6.7 method.ffn.bottleneck=3": (
        "leave method.ffn.bottleneck out, or budget=paper method.ffn.bottleneck=3"
    ),
    "method=prompt budget=bottleneck budget.bottleneck=5 method.length=9": "budget=paper method.length=9",
    "method=adapter_houlsby budget=bottleneck budget.ffn=5 method.ffn.bottleneck=9": "budget=paper",
    f"{IN_TOKENS} training.batch_size=8": "training.max_tokens=null training.batch_size=8",
}
READ = (
    "method=lora position=ffn method.ffn.bottleneck=64",
    "method=lora position=both method.ffn.bottleneck=64 method.attn.bottleneck=3",
    "method=mam budget=percent budget.percent=6.7 method.attn.bottleneck=3",  # the FFN alone is flexible
    "method=adapter_houlsby budget=bottleneck budget.ffn=5 method.attn.bottleneck=9",
    "method=prompt method.length=9",
    "method=adapter position=none method.ffn.bottleneck=3",  # refused later, for want of a position
    "task=wmt_en_ro training.batch_size=8",
    f"{IN_TOKENS} training.max_tokens=null training.batch_size=8",
)


@pytest.mark.parametrize("words", UNREAD)
def test_what_nothing_would_read_is_refused(words):
    with pytest.raises(Problems) as refusal:
        compose(words.split())
    (problem,) = refusal.value.errors
    assert UNREAD[words] in problem.instead


def test_all_of_it_is_told():
    with pytest.raises(Problems) as refusal:
        compose([*IN_TOKENS.split(), "training.batch_size=8", "method=lora", "method.ffn.bottleneck=64"])
    assert len(refusal.value.errors) == 2


@pytest.mark.parametrize("words", READ)
def test_what_is_read_is_taken(words):
    compose(words.split())
