"""Pretrained backbones from a local folder or the hub: safetensors only, complete, of the right architecture."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from unidelta.backbones.classes import model_class
from unidelta.backbones.dropouts import set_dropouts
from unidelta.backbones.head import labels_in, order_of, reorder, tells_texts_apart
from unidelta.backbones.hub import OFFLINE, not_cached, unknown_revision
from unidelta.backbones.loading import LoadedBackbone, Loading
from unidelta.backbones.parameters import check_parameters
from unidelta.backbones.quantised import quantisation
from unidelta.backbones.tokenizer import check_vocabulary, prepare_padding
from unidelta.design.config_facts import known_family
from unidelta.design.family import Family
from unidelta.errors import BackboneError, DamagedWeights, first_line


def load_pretrained(
    source: str, how: Loading, *, asked: str, revision: str | None = None, unreachable: str | None = None
) -> LoadedBackbone:
    """A pretrained model in float32 and its tokenizer.

    A classification head that the checkpoint lacks or has for another task, and what else its family lets it lack, is
    drawn from the seed; nothing else may be missing.

    Args:
        source: local folder or hub id.
        how: seed and labels of a new classification head, dropouts, attention.
        asked: the checkpoint as the user typed it.
        revision: of a hub id.
        unreachable: why the network is not used; None if it is not needed or available.

    Raises:
        BackboneError: weights or tokenizer are missing, damaged or do not fit each other or the configuration, or the
            checkpoint's own head is of other labels than the task's.
    """
    with _of_checkpoint(asked, unreachable, revision):
        config = AutoConfig.from_pretrained(source, revision=revision)
        written, _ = PretrainedConfig.get_config_dict(source, revision=revision)
    theirs = labels_in(written) or [str(name) for _, name in sorted((config.id2label or {}).items())]
    if how.n_labels:
        config.num_labels = how.n_labels
    family = known_family(config.model_type)
    set_dropouts(config, family, how)
    loader = model_class(family, n_labels=how.n_labels)
    with _of_checkpoint(asked, unreachable, revision), torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(how.seed)
        model, report = loader.from_pretrained(
            source,
            config=config,
            revision=revision,
            dtype=torch.float32,
            attn_implementation=how.attn_implementation,
            **quantisation(how, family),
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # reported, and refused below with everything else that does not fit
        )
        tokenizer = _tokenizer(source, revision)
    prepare_padding(tokenizer, model, family, asked=asked)
    check_vocabulary(tokenizer, model, asked=asked)
    head = family.head_of(model)
    of_head = {f"{family.head}.{name}" for name, _ in head.named_parameters()} if head is not None else set()
    absent, misshapen = set(report["missing_keys"]), {str(key[0]) for key in report["mismatched_keys"]}
    may_lack = {name for name in absent if name.startswith(tuple(f"{part}." for part in family.may_lack))}
    missing, mismatched = sorted(absent - of_head - may_lack), sorted(misshapen - of_head)
    if missing or mismatched:
        words = [
            f"{len(keys)} tensors {what}, first {', '.join(keys[:5])}"
            for what, keys in (("are missing", missing), ("have another shape", mismatched))
            if keys
        ]
        raise BackboneError(asked, "; ".join(words), "a checkpoint whose weights fit its config.json")
    broken = [name for name, tensor in model.state_dict().items() if not torch.isfinite(tensor).all()]
    if broken:
        raise DamagedWeights(asked, f"values that are not finite, first in {broken[0]}", "an undamaged checkpoint")
    if how.quantised == "none":
        check_parameters(model, n_labels=how.n_labels, asked=asked)
    new, inherited = absent | misshapen, None
    if head is not None and not of_head & new:
        if how.head == "new" or not tells_texts_apart(written):
            _draw_head(model, family, how.seed)
            new |= of_head
        else:
            inherited = _use_head(head, theirs, how.labels, asked)
    return LoadedBackbone(model=model, tokenizer=tokenizer, new=tuple(sorted(new)), inherited=inherited)


def _draw_head(model: PreTrainedModel, family: Family, seed: int) -> None:
    """A head from the seed in place of the checkpoint's."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        other = model_class(family, n_labels=model.config.num_labels or 0).from_config(model.config)
    head, drawn = family.head_of(model), family.head_of(other)
    assert head is not None and drawn is not None
    head.load_state_dict(drawn.state_dict())


def _use_head(head: torch.nn.Module, theirs: Sequence[str], ours: Sequence[str], asked: str) -> str:
    """Put the rows of the checkpoint's head in the order of the task's labels; how, in words."""
    if not ours:
        return "its rows stay as they are"
    rows, how = order_of(theirs, ours, asked=asked)
    reorder(head, rows)
    return how


def _tokenizer(source: str, revision: str | None) -> PreTrainedTokenizerBase:
    """The checkpoint's tokenizer; of a file that is none, such as `{}`, the reader says no more than a missing key."""
    try:
        return AutoTokenizer.from_pretrained(source, revision=revision)
    except OSError:
        raise  # a file that is not there, or out of reach
    except Exception as error:  # the reader raises whatever it meets
        raise ValueError(f"its tokenizer cannot be read ({type(error).__name__}: {first_line(error)})") from error


@contextmanager
def _of_checkpoint(asked: str, unreachable: str | None, revision: str | None) -> Iterator[None]:
    """Raise every failure of the loaders, which raise a dozen types, as an error about the checkpoint."""
    try:
        yield
    except Exception as error:
        first = first_line(error)
        if unreachable:
            raise BackboneError(asked, not_cached(unreachable), OFFLINE) from error
        instead = "an undamaged checkpoint with config.json, model.safetensors and a tokenizer"
        raise unknown_revision(error, asked, revision) or BackboneError(asked, first, instead) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Within a context, transformers shows neither warnings nor progress bars."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
