"""Check one design in one architecture, on a tiny model.

Does the number of parameters match its file, do exactly those train and does each get a gradient, does a zero start
leave the model's output unchanged, do teacher forcing and cached generation agree, is merging exact and undone bit for
bit, and do saved deltas compute the same in a fresh model?
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from unidelta.check.finding import Finding, close, equal
from unidelta.check.tiny import batch, tiny
from unidelta.design.axes import LayerNorm
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.count import count
from unidelta.design.family import Family
from unidelta.design.form import FORMS
from unidelta.design.generator import generator_of
from unidelta.design.rules import check as faults
from unidelta.design.spec import Deltas
from unidelta.errors import UserError, first_line
from unidelta.fast.switch import speed_up
from unidelta.hosts.site import Host
from unidelta.injection.architecture import architecture_of
from unidelta.injection.counted import MiscountedError
from unidelta.injection.inject import inject
from unidelta.injection.injection import Injection
from unidelta.injection.merge import is_mergeable
from unidelta.injection.saved import load, save

_OF_FLOAT32 = 1e-5  # tolerance of scores that `generate` returns in float32
_OF_NORM = 1e-5**-0.5  # 1/√ε: the most by which a layer norm enlarges a Δh that is 0 up to rounding


def check_design(family: Family, design: Deltas, where: str) -> Iterator[Finding]:
    """Every check of a design that the rules allow."""
    inputs, what = batch(family), "trained parameters are as many as the file says"
    try:
        injection = _injected(family, design)
    except MiscountedError as error:
        yield Finding(what=what, where=where, wrong=error.why)
        return
    counts = count(design, architecture_of(injection.model.config, name=family.name))
    yield equal(what, where, injection.n_trained, counts.trained)
    yield equal("stored parameters are as many as the file says", where, injection.n_stored, counts.stored)
    injection.model(**inputs).loss.backward()
    without = [name for name, parameter in injection.trained_parameters() if parameter.grad is None]
    wrong = f"{len(without)} have none, first {without[0]}" if without else ""
    yield Finding(what="every trained parameter gets a gradient", where=where, wrong=wrong)
    yield from _zero_start(family, design, where)
    yield from _fast(family, design, where)
    if family.kind != "encoder":
        yield _generation(family, design, where)
    yield from _merging(family, design, where)
    yield _saving(family, design, where)
    yield _half(family, design, where)


def check_larger(family: Family, design: Deltas, larger: Deltas, where: str) -> Iterator[Finding]:
    """The same design with a larger bottleneck: a count may be right at one bottleneck by chance."""
    what = "a larger bottleneck has as many parameters as the file says, and no fewer"
    try:
        injection = _injected(family, larger)
    except MiscountedError as error:
        yield Finding(what=what, where=where, wrong=error.why)
        return
    architecture = architecture_of(injection.model.config, name=family.name)
    less, more = count(design, architecture), count(larger, architecture)
    shrinks = f"n_matrices falls from {less.matrices:,} to {more.matrices:,}" if more.matrices < less.matrices else ""
    found = equal(what, where, injection.n_stored, more.stored)
    yield replace(found, wrong=shrinks or found.wrong)


def _injected(family: Family, design: Deltas, *, moved: bool = True, dtype: torch.dtype = torch.float64) -> Injection:
    generator = torch.Generator().manual_seed(2)
    model: Any = tiny(family)
    injection = inject(model.to(dtype), design, generator=generator)
    if moved:
        for _, parameter in injection.trained_parameters():
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator).to(dtype)
    return injection


def _zero_start(family: Family, design: Deltas, where: str) -> Iterator[Finding]:
    (spec,) = design.parts
    if not COMPOSITIONS[spec.composition].keeps_h:
        return
    stock = tiny(family).requires_grad_(False)  # frozen too: torch picks a kernel by whether a bias of logits trains
    expected = stock(**batch(family)).logits
    architecture = architecture_of(stock.config, name=family.name)
    for init in (generator_of(spec) or FORMS[spec.form]).zero_starts:
        zero = Deltas(parts=(replace(spec, init=init),))
        if faults(zero, architecture):
            continue
        started = _injected(family, zero, moved=False)
        difference = (started.model(**batch(family)).logits - expected).abs().max().item()
        tolerance = FORMS[spec.form].zero_tolerance * (_OF_NORM if spec.layer_norm is LayerNorm.OUT else 1)
        wrong = f"the logits differ by {difference:.1e}" if difference > tolerance else ""
        how = "up to rounding" if tolerance else "bit for bit"
        yield Finding(what=f"init={init} leaves the model {how} as it was", where=where, wrong=wrong)


def _fast(family: Family, design: Deltas, where: str) -> Iterator[Finding]:
    plain, fast = _injected(family, design), _injected(family, design)
    speed_up(fast)
    yield close(
        "fast computes the same", where, fast.model(**batch(family)).logits, plain.model(**batch(family)).logits
    )


@torch.no_grad()
def _generation(family: Family, design: Deltas, where: str) -> Finding:
    """Compare the scores of a cached generation with the logits of one pass over its tokens."""
    model: Any = _injected(family, design).model
    inputs = {name: tensor for name, tensor in batch(family).items() if name != "labels"}
    found = model.generate(
        **inputs, max_new_tokens=5, min_new_tokens=5, do_sample=False, output_logits=True, return_dict_in_generate=True
    )
    made = torch.stack(found.logits, dim=1)
    if family.is_encoder_decoder:
        forced = model(**inputs, decoder_input_ids=found.sequences[:, :-1]).logits
    else:
        mask = torch.nn.functional.pad(inputs["attention_mask"], (0, 4), value=1)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        forced = model(input_ids=found.sequences[:, :-1], attention_mask=mask, position_ids=positions).logits
        forced = forced[:, inputs["input_ids"].shape[1] - 1 :]
    return close("cached generation is teacher forcing", where, made, forced, tolerance=_OF_FLOAT32)


@torch.no_grad()
def _merging(family: Family, design: Deltas, where: str) -> Iterator[Finding]:
    injection = _injected(family, design)
    hosts = [module for module in injection.model.modules() if isinstance(module, Host)]
    if not any(map(is_mergeable, hosts)):
        return
    logits = injection.model(**batch(family)).logits
    injection.merge()
    yield close("merging is exact", where, injection.model(**batch(family)).logits, logits)
    injection.unmerge()
    is_back = injection.model(**batch(family)).logits.equal(logits)
    yield Finding(what="unmerging is exact bit for bit", where=where, wrong="" if is_back else "the logits differ")


@torch.no_grad()
def _saving(family: Family, design: Deltas, where: str) -> Finding:
    """Save the deltas and load them into a fresh model, for which nothing is drawn as it was for the first."""
    injection, what = _injected(family, design), "saved deltas compute the same in a fresh model"
    injection.fold()
    with TemporaryDirectory() as folder:
        save(injection, Path(folder))
        try:
            loaded = load(Path(folder), tiny(family))
        except UserError as error:
            return Finding(what=what, where=where, wrong=error.why)
    return close(what, where, loaded.model(**batch(family)).logits, injection.model(**batch(family)).logits)


@torch.no_grad()
def _half(family: Family, design: Deltas, where: str) -> Finding:
    """One pass in bfloat16, in which models are tuned: what a module makes in another precision does not fit there."""
    what = "it computes in bfloat16"
    try:
        logits = _injected(family, design, dtype=torch.bfloat16).model(**batch(family)).logits
    except RuntimeError as error:  # torch's, of two precisions
        return Finding(what=what, where=where, wrong=first_line(error))
    wrong = "" if logits.dtype is torch.bfloat16 else f"the logits are in {logits.dtype}"
    return Finding(what=what, where=where, wrong=wrong)
