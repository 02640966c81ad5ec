"""The timed workload, the same for all: one BART or Llama with random weights, one batch, a training step, generation.

Imports torch and transformers only, version 4.57 and 5.23 alike, so that peers can run it in an environment of their
own. `answer` makes a program of it that reads what to time, line by line.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import torch
from torch import Tensor, nn
from transformers import BartConfig, BartForConditionalGeneration, LlamaConfig, LlamaForCausalLM, PreTrainedModel

PAD, EOS, FIRST_WORD = 1, 2, 3


@dataclass(frozen=True)
class Size:
    """Sizes of the model, the batch and the methods."""

    family: str = "bart"
    d: int = 256
    layers: int = 4  # of BART, encoder and decoder each
    heads: int = 8
    ffn: int = 1024
    vocabulary: int = 8000
    batch: int = 16
    source: int = 128
    target: int = 32
    prefix: int = 30
    bottleneck: int = 128  # d/2: the paper's 512 at d = 1024
    mlp: int = 800
    lora: int = 8
    lora_ffn: int = 26  # the paper's 102 at d = 1024


SIZES = {
    "d256": Size(),
    "d512": Size(d=512, layers=3, ffn=2048, batch=8, bottleneck=256, lora_ffn=51),
    "llama": Size(family="llama", ffn=768),
}


@dataclass(frozen=True)
class Method:
    """How one method is added to the stock model.

    Args:
        train: gives the model to train.
        infer: gives the model to generate with, from a stock model too; None: `train`.
        stored: bytes of its checkpoint, given the model that trains.
    """

    train: Callable[[Size], nn.Module]
    stored: Callable[[nn.Module], int]
    infer: Callable[[Size], nn.Module] | None = None


def stock(size: Size) -> PreTrainedModel:
    """The backbone, always with the same weights."""
    torch.manual_seed(0)
    return {"bart": _bart, "llama": _llama}[size.family](size)


def _llama(size: Size) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.d,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads // 2,
        intermediate_size=size.ffn,
        max_position_embeddings=1024,
        attention_dropout=0.0,
        tie_word_embeddings=True,
        pad_token_id=PAD,
        bos_token_id=0,
        eos_token_id=EOS,
        attn_implementation="sdpa",
    )
    return LlamaForCausalLM(config)


def _bart(size: Size) -> BartForConditionalGeneration:
    config = BartConfig(
        vocab_size=size.vocabulary,
        d_model=size.d,
        encoder_layers=size.layers,
        decoder_layers=size.layers,
        encoder_attention_heads=size.heads,
        decoder_attention_heads=size.heads,
        encoder_ffn_dim=size.ffn,
        decoder_ffn_dim=size.ffn,
        max_position_embeddings=1024,
        dropout=0.1,
        attention_dropout=0.0,
        activation_dropout=0.0,
        pad_token_id=PAD,
        bos_token_id=0,
        eos_token_id=EOS,
        decoder_start_token_id=EOS,
        forced_eos_token_id=None,
        forced_bos_token_id=None,
        attn_implementation="sdpa",
    )
    model = BartForConditionalGeneration(config)
    model.generation_config.forced_eos_token_id = None
    return model


def frozen(size: Size) -> nn.Module:
    """The backbone with nothing to train."""
    return stock(size).requires_grad_(False)


def batch(size: Size) -> dict[str, Tensor]:
    """Sources filled to 75–100 %, and targets: of Llama in one text, whose padding is in front."""
    generator = torch.Generator().manual_seed(100)
    ids = torch.randint(FIRST_WORD, size.vocabulary, (size.batch, size.source), generator=generator)
    mask = torch.ones_like(ids)
    lengths = torch.randint(int(size.source * 0.75), size.source + 1, (size.batch,), generator=generator)
    for row, length in enumerate(lengths.tolist()):
        padding = slice(length, None) if size.family == "bart" else slice(0, size.source - length)
        mask[row, padding], ids[row, padding] = 0, PAD
    labels = torch.randint(FIRST_WORD, size.vocabulary, (size.batch, size.target), generator=generator)
    if size.family == "llama":
        ids, mask = torch.cat([ids, labels], dim=1), torch.cat([mask, torch.ones_like(labels)], dim=1)
        labels = torch.cat([torch.full((size.batch, size.source), -100), labels], dim=1)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


class Subject:
    """A method ready to be timed.

    Args:
        method: what is in the model.
        size: of everything.
        fused: whether AdamW is the fused one, as transformers' Trainer has it, or torch's default.
    """

    def __init__(self, method: Method, size: Size, *, fused: bool) -> None:
        self.method, self.size = method, size
        self.batch = batch(size)
        self.model = method.train(size).train()
        self.trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.AdamW(self.trained, lr=1e-4, fused=fused) if self.trained else None
        self._generator: nn.Module | None = None

    def loss(self) -> Tensor:
        """Forward pass of training."""
        return self.model(**self.batch).loss

    def step(self) -> None:
        """Forward, backward, AdamW; only forward if nothing trains."""
        if self.optimiser is None:
            with torch.no_grad():
                self.loss()
            return
        self.optimiser.zero_grad(set_to_none=True)
        self.loss().backward()
        self.optimiser.step()

    def generate(self, beams: int) -> Tensor:
        """As many tokens as the target has, for the whole batch."""
        if self._generator is None:
            self._generator = (self.method.infer or self.method.train)(self.size).eval()
        with torch.no_grad():
            return self._generator.generate(
                input_ids=self.batch["input_ids"][:, : self.size.source],
                attention_mask=self.batch["attention_mask"][:, : self.size.source],
                num_beams=beams,
                do_sample=False,
                min_new_tokens=self.size.target,
                max_new_tokens=self.size.target,
                use_cache=True,
                early_stopping=beams > 1,
            )

    def saved_bytes(self) -> int:
        """Bytes of the distinct tensors that autograd keeps for the backward pass, without parameters and batch."""
        known = [*self.model.parameters(), *self.model.buffers(), *self.batch.values()]
        ignored = {tensor.untyped_storage().data_ptr() for tensor in known}
        kept: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in ignored:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            loss = self.loss()
        found = sum(kept.values())
        del loss
        return found

    def peak_bytes(self) -> int:
        """Peak memory of the process during three steps, above the memory before (Linux)."""
        gc.collect()
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # reset the peak
        before = _memory("VmRSS")
        for _ in range(3):
            self.step()
        return _memory("VmHWM") - before


def timed(function: Callable[[], object]) -> dict[str, float]:
    """CPU and wall seconds of a call. CPU seconds exclude the time when another process had the core."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def answer(families: Mapping[str, Mapping[str, Method]]) -> None:
    """Time what standard input requests, one JSON object per line, and answer with one line each.

    `{"size", "fused"}` first; then `{"do": "step" | "greedy" | "beam-4" | "static" | "versions", "method"}`.
    """
    torch.set_num_threads(1)
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints
    asked = (json.loads(line) for line in sys.stdin)
    settings = next(asked)
    size, fused = SIZES[settings["size"]], bool(settings["fused"])
    methods = families[size.family]
    subjects: dict[str, Subject] = {}
    for question in asked:
        reply = _reply(question, methods, subjects, size, fused)
        print(json.dumps(reply), file=out, flush=True)


def _reply(
    question: Mapping[str, str], methods: Mapping[str, Method], subjects: dict[str, Subject], size: Size, fused: bool
) -> dict[str, object]:
    what = question["do"]
    if what == "versions":
        return {"methods": list(methods), "versions": versions()}
    name = question["method"]
    if what == "static":
        return _in_a_fork(lambda: _static(methods[name], size, fused))
    if name not in subjects:
        subjects[name] = Subject(methods[name], size, fused=fused)
    subject = subjects[name]
    if what == "step":
        return {**timed(subject.step)}
    beams = {"greedy": 1, "beam-4": 4}[what]
    return {**timed(lambda: subject.generate(beams))}


def _static(method: Method, size: Size, fused: bool) -> dict[str, object]:
    subject = Subject(method, size, fused=fused)
    return {
        "trained": sum(parameter.numel() for parameter in subject.trained),
        "peak_bytes": subject.peak_bytes() if subject.trained else 0,
        "saved_bytes": subject.saved_bytes() if subject.trained else 0,
        "stored_bytes": method.stored(subject.model),
    }


def _in_a_fork(function: Callable[[], dict[str, object]]) -> dict[str, object]:
    """A function's result in a fork of this process, to measure memory where nothing ran before."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, json.dumps(function()).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        reply = file.read()
    os.waitpid(child, 0)
    return json.loads(reply)


def versions() -> dict[str, str]:
    """The versions of the relevant packages."""
    found = {"python": sys.version.split()[0]}
    for name in ("torch", "transformers", "unidelta", "peft", "adapters"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _memory(key: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(f"{key}:"))
