"""Suggests what a user may have meant: similar spellings, and other programs' words for the same thing."""

import difflib
import re
from collections.abc import Sequence

_OTHER_WORDS = {
    "training.learning_rate": "lr max_lr peak_lr",
    "training.max_steps": "steps num_steps total_steps train_steps max_train_steps iterations iters",
    "training.epochs": "epoch num_epochs n_epochs max_epochs num_train_epochs",
    "training.batch_size": "batch bs bsz train_batch_size per_device_train_batch_size",
    "training.eval_batch_size": "per_device_eval_batch_size test_batch_size",
    "training.accumulation": "grad_accum accumulation_steps gradient_accumulation gradient_accumulation_steps",
    "training.warmup_steps": "warmup num_warmup_steps",
    "training.weight_decay": "wd decay",
    "training.max_grad_norm": "clip grad_clip clip_norm gradient_clipping gradient_clip_val",
    "training.schedule": "scheduler lr_scheduler lr_scheduler_type",
    "training.precision": "fp16 bf16 fp32 amp dtype mixed_precision torch_dtype",
    "training.device": "gpu gpus cuda cpu accelerator",
    "training.label_smoothing": "label_smoothing_factor smoothing",
    "training.eval_every": "eval_steps val_check_interval evaluate_every",
    "task.generation.num_beams": "beams beam beam_size",
    "task.max_source_length": "max_length max_seq_length max_seq_len max_input_length",
    "task.max_train_examples": "max_train_samples n_train limit_train",
    "task.max_eval_examples": "max_eval_samples max_val_samples",
    "task.path": "data_dir data_path train_file dataset_path",
    "backbone.checkpoint": "model_path model_name model_name_or_path pretrained checkpoint_path ckpt",
    "backbone": "model base_model encoder",
    "task": "data dataset dataset_name",
    "method": "peft peft_type delta adapter_type",
    "budget.bottleneck": "rank r lora_r lora_rank bottleneck_size bottleneck_dim",
    "composition.scale": "alpha lora_alpha scaling",
    "results_dir": "out output output_dir out_dir save_dir logdir log_dir",
    "seed": "random_seed rng_seed",
    "position": "place where location",
    "attn": "attention self_attention self_attn",
    "ffn": "mlp feed_forward feedforward",
    "tracking": "wandb logger report_to log",
    "tracking.project": "wandb_project project_name",
    "full": "finetune finetuning fine_tuning full_finetuning full_fine_tuning ft fft",
    "adapter_houlsby": "houlsby houlsby_adapter",
    "adapter_pfeiffer": "pfeiffer pfeiffer_adapter",
    "frozen": "zero_shot none nothing",
}


def suggestions(name: str, known: Sequence[str], *, n: int = 3) -> list[str]:
    """The known names that may be meant, likeliest first.

    Args:
        name: what was typed; the last part of a dotted key counts most.
        known: dotted keys, or the options of a group.
        n: how many at most.
    """
    last = _plain(name.rpartition(".")[2])
    by_meaning = [option for option in known if last in map(_plain, _OTHER_WORDS.get(option, "").split())]
    same = [option for option in known if _plain(option) == _plain(name)]
    if same or by_meaning:
        return list(dict.fromkeys([*same, *by_meaning]))[:n]
    slips = difflib.get_close_matches(name, known, n=n, cutoff=0.85)
    within = [] if "." in name else [option for option in known if _is_within(option, name)]
    within.sort(key=lambda option: (not _plain(name).startswith(_plain(option)), -len(option)))
    alike = difflib.get_close_matches(name, known, n=n, cutoff=0.6)
    with_that_end = sorted((option for option in known if _plain(option.rpartition(".")[2]) == last), key=len)
    return list(dict.fromkeys([*slips, *with_that_end] or [*within, *alike]))[:n]


def nearest(name: str, known: Sequence[str]) -> str:
    """The known name that is most like one that was typed; the first if none is."""
    near = suggestions(name, known, n=1) or difflib.get_close_matches(name.casefold(), known, n=1, cutoff=0.55)
    return (near or list(known))[0]


def _is_within(option: str, name: str) -> bool:
    """Whether a name begins or ends with an option (`bart-large`, `glue_mnli`), or an option ends with it (`en-ro`)."""
    one, other = _plain(option), _plain(name)
    return len(min(one, other, key=len)) > 2 and (other.startswith(one) or other.endswith(one) or one.endswith(other))


def _plain(name: str) -> str:
    """The letters and digits of a name: `SST-2`, `sst_2` and `sst2` are one."""
    return re.sub(r"[^a-z0-9]", "", name.casefold().replace("³", "3"))
