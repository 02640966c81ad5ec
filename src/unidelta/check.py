"""Try out a form, a composition or an architecture that you wrote: `python -m unidelta.check form NAME`.

On a tiny model of every architecture: are there as many parameters as its file says, do exactly those train and does
each get a gradient, does a start that is called zero leave the model as it was, do teacher forcing and cached
generation agree, and is merging exact and undone bit for bit? `--config-dir DIR` takes in a folder of your own first.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, PreTrainedModel
from transformers.utils import logging

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.axes import Insertion, Slot
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.count import count
from unidelta.design.describe import describe
from unidelta.design.family import FAMILIES, Family
from unidelta.design.form import FORMS, Setting
from unidelta.design.rules import check as faults
from unidelta.design.spec import Deltas, DeltaSpec
from unidelta.errors import DesignError, UserError
from unidelta.exit_status import ExitStatus
from unidelta.extensions import add_folder
from unidelta.fast.switch import speed_up
from unidelta.hosts.site import Host
from unidelta.injection.inject import architecture_of, inject
from unidelta.injection.injection import Injection
from unidelta.injection.merge import is_mergeable
from unidelta.paths import path_argument

TOLERANCE, OF_FLOAT32 = 1e-10, 1e-5  # of what is computed in float64; of scores that `generate` returns in float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found: what was tried, where, and what is wrong, "" if nothing is."""

    what: str
    where: str
    wrong: str = ""


def check_form(name: str) -> Iterator[Finding]:
    """Try a form at every place, insertion and composition, on every architecture."""
    FORMS.find(name, asked=f"check form {name}")
    for family in FAMILIES.values():
        for composition in COMPOSITIONS:
            yield from _check_designs(family, name, composition)


def check_composition(name: str) -> Iterator[Finding]:
    """Try a composition with every form, on every architecture."""
    COMPOSITIONS.find(name, asked=f"check composition {name}")
    for family in FAMILIES.values():
        for form in FORMS:
            yield from _check_designs(family, form, name)


def check_family(name: str) -> Iterator[Finding]:
    """Compare an architecture's file with transformers' own model, then try every form in it."""
    family = FAMILIES.find(name, asked=f"check family {name}")
    model = tiny(family)
    architecture = architecture_of(model.config, name="tiny")
    sites = family.hosts(model)
    shapes = [(site.kind, site.layer, list(site.linears)) for site in architecture.sites]
    wrong = "" if shapes == [(s.kind, s.layer, list(s.linears)) for s in sites] else "sites and hosts differ"
    yield Finding(what="sites are those of the model, in one order", where=name, wrong=wrong)
    expected = sum(parameter.numel() for parameter in model.parameters())
    yield _equal("parameters", name, architecture.n_parameters, expected)
    biases = sum(p.numel() for key, p in model.named_parameters() if key.endswith("bias"))
    yield _equal("biases", name, architecture.n_biases, biases)
    for form in FORMS:
        for composition in COMPOSITIONS:
            yield from _check_designs(family, form, composition)


def tiny(family: Family, *, seed: int = 1) -> PreTrainedModel:
    """A random model of an architecture in float64 and eval mode, its weights far enough from 0 for effects to show."""
    config = AutoConfig.for_model(family.name, **family.tiny)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: PreTrainedModel = MODEL_CLASSES[family.kind].from_config(config)
        for parameter in model.parameters():
            parameter.data += 0.15 * torch.randn_like(parameter)
    return model.double().eval()


def batch(family: Family) -> dict[str, Tensor]:
    """Three sources of 7 tokens, one of them padded, with labels."""
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(3, 41, (3, 7), generator=generator)
    mask = torch.ones_like(ids)
    side = slice(0, 3) if family.kind == "decoder" else slice(4, 7)  # decoders generate, so their padding is in front
    ids[1, side], mask[1, side] = 1, 0
    labels = {
        "encoder-decoder": torch.randint(3, 41, (3, 5), generator=generator),
        "encoder": torch.tensor([0, 1, 0]),
        "decoder": ids.masked_fill(mask == 0, -100),
    }
    return {"input_ids": ids, "attention_mask": mask, "labels": labels[family.kind]}


def _check_designs(family: Family, form: str, composition: str) -> Iterator[Finding]:
    architecture = architecture_of(tiny(family).config, name=family.name)
    for slot in Slot:
        for insertion in Insertion:
            spec = _spec(family, form, composition, slot, insertion)
            design = Deltas(parts=(spec,))
            if faults(design, architecture):
                continue
            where = f"{family.name}, {describe(design)}"
            try:
                yield from _check_design(family, design, where)
            except UserError:
                raise
            except Exception as error:  # whatever a module of a user's raises is the finding
                yield Finding(what="it runs", where=where, wrong=f"{type(error).__name__}: {error}")


def _spec(family: Family, form: str, composition: str, slot: Slot, insertion: Insertion) -> DeltaSpec:
    descriptor = FORMS[form]
    details = descriptor.released(Setting(slot=slot, insertion=insertion, at_layer_output=False, family=family))
    return DeltaSpec(
        slot=slot,
        form=form,
        insertion=insertion,
        composition=composition,
        bottleneck=0 if descriptor.size is None else 3,
        representation=details.representation,
        scale=2.0 if COMPOSITIONS[composition].reads_scale else 1.0,
        source=details.source,
        init=descriptor.inits[0],
        layer_norm=details.layer_norm,
        bias=details.bias,
        dropout=0.0 if "dropout" in descriptor.reads and not COMPOSITIONS[composition].is_gate else None,
        targets=tuple(descriptor.usual_targets.get(slot, ())),
        scaled_query=details.scaled_query,
        options=tuple(descriptor.options.items()),
    )


def _check_design(family: Family, design: Deltas, where: str) -> Iterator[Finding]:
    inputs = batch(family)
    injection = _injected(family, design)
    counts = count(design, architecture_of(injection.model.config, name=family.name))
    yield _equal("trained parameters are as many as the file says", where, injection.n_trained, counts.trained)
    yield _equal("stored parameters are as many as the file says", where, injection.n_stored, counts.stored)
    injection.model(**inputs).loss.backward()
    without = [name for name, parameter in injection.trained_parameters() if parameter.grad is None]
    wrong = f"{len(without)} have none, first {without[0]}" if without else ""
    yield Finding(what="every trained parameter gets a gradient", where=where, wrong=wrong)
    yield from _zero_start(family, design, where)
    yield from _fast(family, design, where)
    if family.kind != "encoder":
        yield _generation(family, design, where)
    yield from _merging(family, design, where)


def _injected(family: Family, design: Deltas, *, moved: bool = True) -> Injection:
    generator = torch.Generator().manual_seed(2)
    injection = inject(tiny(family), design, generator=generator)
    if moved:
        for _, parameter in injection.trained_parameters():
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)
    return injection


def _zero_start(family: Family, design: Deltas, where: str) -> Iterator[Finding]:
    (spec,) = design.parts
    if not COMPOSITIONS[spec.composition].keeps_h:
        return
    expected = tiny(family)(**batch(family)).logits
    for init in FORMS[spec.form].zero_starts:
        started = _injected(family, Deltas(parts=(replace(spec, init=init),)), moved=False)
        difference = (started.model(**batch(family)).logits - expected).abs().max().item()
        wrong = f"the logits differ by {difference:.1e}" if difference else ""
        yield Finding(what=f"init={init} leaves the model bit for bit as it was", where=where, wrong=wrong)


def _fast(family: Family, design: Deltas, where: str) -> Iterator[Finding]:
    plain, fast = _injected(family, design), _injected(family, design)
    speed_up(fast)
    yield _close(
        "fast computes the same", where, fast.model(**batch(family)).logits, plain.model(**batch(family)).logits
    )


@torch.no_grad()
def _generation(family: Family, design: Deltas, where: str) -> Finding:
    """The scores of a cached generation are the logits of one pass over what it made."""
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
        forced = model(input_ids=found.sequences[:, :-1], attention_mask=mask, position_ids=positions).logits[:, 6:]
    return _close("cached generation is teacher forcing", where, made, forced, tolerance=OF_FLOAT32)


@torch.no_grad()
def _merging(family: Family, design: Deltas, where: str) -> Iterator[Finding]:
    injection = _injected(family, design)
    hosts = [module for module in injection.model.modules() if isinstance(module, Host)]
    if not any(map(is_mergeable, hosts)):
        return
    logits = injection.model(**batch(family)).logits
    injection.merge()
    yield _close("merging is exact", where, injection.model(**batch(family)).logits, logits)
    injection.unmerge()
    is_back = injection.model(**batch(family)).logits.equal(logits)
    yield Finding(what="unmerging is exact bit for bit", where=where, wrong="" if is_back else "the logits differ")


def _equal(what: str, where: str, found: int, expected: int) -> Finding:
    return Finding(what=what, where=where, wrong="" if found == expected else f"{expected:,} expected, {found:,} found")


def _close(what: str, where: str, found: Tensor, expected: Tensor, *, tolerance: float = TOLERANCE) -> Finding:
    difference = (found - expected).abs().max().item() if found.shape == expected.shape else float("inf")
    wrong = "" if difference <= tolerance else f"differs by {difference:.1e}"
    return Finding(what=what, where=where, wrong=wrong)


_CHECKS: dict[str, Callable[[str], Iterator[Finding]]] = {
    "form": check_form,
    "composition": check_composition,
    "family": check_family,
}


def main(arguments: Sequence[str] | None = None) -> ExitStatus:
    """The exit status of `python -m unidelta.check`: 1 if anything is wrong, 2 if there is no such thing."""
    parser = argparse.ArgumentParser(prog="python -m unidelta.check", description=__doc__)
    parser.add_argument("kind", choices=_CHECKS)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--config-dir", type=path_argument, metavar="DIR", help="a folder of your own, as for train.py")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    try:
        if asked.config_dir is not None:
            add_folder(asked.config_dir)
        findings = list(_CHECKS[asked.kind](asked.name))
        if not findings:
            why = "the rules refuse it on every architecture, at every place and insertion"
            raise DesignError(f"check {asked.kind} {asked.name}", why, "rules that let something through")
    except UserError as error:
        print(error, file=sys.stderr)
        return ExitStatus.REFUSED
    wrong = [finding for finding in findings if finding.wrong]
    for finding in wrong:
        print(f"WRONG  {finding.where}\n       {finding.what}: {finding.wrong}")
    for what in dict.fromkeys(finding.what for finding in findings):
        mine = [finding for finding in findings if finding.what == what]
        print(f"{sum(not finding.wrong for finding in mine):4} of {len(mine):4}  {what}")
    print(f"{len(findings) - len(wrong)} passed, {len(wrong)} failed")
    return ExitStatus.FAILED if wrong else ExitStatus.DONE


if __name__ == "__main__":
    sys.exit(main())
