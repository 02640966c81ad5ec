"""Turns all optimisations on and off for a model with deltas."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from unidelta.deltas.delta import Delta
from unidelta.fast.attention import fast_name_of
from unidelta.fast.beams import source_in_place
from unidelta.fast.cached_prefix import CachingAttention
from unidelta.fast.prefixes_once import PrefixesOnce
from unidelta.fast.scale_in_weights import scale_in_weights
from unidelta.fast.scale_inside import scale_inside
from unidelta.fast.wide_ffn import wide_ffns
from unidelta.hosts.attention import BASES, AttentionHost, name_of
from unidelta.hosts.site import Host, change_host
from unidelta.hosts.stack import StackHost
from unidelta.injection.injection import Injection
from unidelta.injection.merge import merge_into_weights

_HOSTS = {AttentionHost: CachingAttention, StackHost: PrefixesOnce}


def speed_up(injection: Injection) -> None:
    """Turn on the optimisations of training and generation; results are the same up to rounding."""
    model = injection.model
    for module in model.modules():
        if isinstance(module, Delta):
            scale_inside(module)
        elif isinstance(module, Host) and type(module).__bases__[0] in _HOSTS:
            change_host(module, _HOSTS[type(module).__bases__[0]])
    names = {name_of(base): fast_name_of(base) for base in BASES}
    if model.config._attn_implementation in names:
        model.set_attn_implementation(names[model.config._attn_implementation])


@contextmanager
def merged(injection: Injection) -> Iterator[None]:
    """For evaluation: merge linear deltas, scales and parallel adapters; beam search does not move sources.

    Args:
        injection: a model in float32, which must not train meanwhile. Everything is restored bit for bit at the end.
    """
    with ExitStack() as stack:
        stack.enter_context(source_in_place(injection.model))
        for each in merge_into_weights(injection.model):
            stack.callback(each.undo)
        stack.enter_context(wide_ffns(injection.model))
        stack.enter_context(scale_in_weights(injection.model))
        yield
