"""A comparison that cannot fail proves nothing: one number, name or token changed in a golden file is found."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from unidelta.errors import DataError
from unidelta.fidelity.golden import compare

GOLDEN = Path(__file__).parents[1] / "golden"
SMALL, WHOLE = "roberta.spa_ffn_s4", "bart.spa_ffn_s4"  # the second also has a decoder, smoothing and generation


def changed(tmp_path: Path, change: Callable[[dict, dict], None], name: str = SMALL) -> Path:
    """A copy of a golden file, changed in its description or its tensors."""
    meta = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    tensors = load_file(GOLDEN / f"{name}.safetensors")
    change(meta, tensors)
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(meta), encoding="utf-8")
    save_file(tensors, path.with_suffix(".safetensors"))
    return path


def bump(key: str, by: float) -> Callable[[dict, dict], None]:
    def change(meta: dict, tensors: dict) -> None:
        tensors[key].view(-1)[0] += by

    return change


def describe(key: str, value) -> Callable[[dict, dict], None]:
    def change(meta: dict, tensors: dict) -> None:
        meta[key] = value(meta[key])

    return change


def weight(tensors: dict) -> str:
    return next(
        key for key in tensors if key.startswith("state/") and "adapter" in key and key.endswith("up_proj.weight")
    )


def bump_weight(meta: dict, tensors: dict) -> None:
    tensors[weight(tensors)].view(-1)[0] += 0.5


def bump_base_weight(meta: dict, tensors: dict) -> None:
    tensors["state/pretrained_model.roberta.encoder.layer.0.intermediate.dense.weight"].view(-1)[0] += 0.5


def bump_gradient(meta: dict, tensors: dict) -> None:
    key = weight(tensors).replace("state/", "grad/")
    tensors[key].view(-1)[0] += 1e-4 * tensors[key].abs().max()


def lose_a_name(meta: dict, tensors: dict) -> None:
    used = set(meta["trainable_names"]) - set(meta["unused_trainable_no_grad"])
    meta["trainable_names"].remove(min(used))


def next_token(key: str) -> Callable[[dict, dict], None]:
    def change(meta: dict, tensors: dict) -> None:
        tensors[key][0, 2] += 1

    return change


def test_the_file_passes_as_it_is(tmp_path):
    for name in (SMALL, WHOLE):
        assert compare(changed(tmp_path, lambda meta, tensors: None, name)).passed


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        (SMALL, bump("out/logits64", 1e-9), "logits"),
        (SMALL, describe("loss_float64", lambda loss: loss + 1e-9), "loss"),
        (WHOLE, bump("out/loss_label_smoothing_0.1", 1e-4), "smoothed loss"),
        (WHOLE, bump("hidden/dec.1", 1e-4), "hidden"),
        (SMALL, bump("hidden/enc.0", 1e-4), "hidden"),
        (SMALL, bump_gradient, "gradients"),
        (SMALL, bump_weight, "logits"),
        (SMALL, bump_base_weight, "logits"),
        (SMALL, lambda meta, tensors: tensors.pop(weight(tensors)), "logits"),
    ],
    ids="logit loss smoothed decoder-state encoder-state gradient delta-weight base-weight no-weight".split(),
)
def test_a_changed_number_is_out_of_tolerance(tmp_path, name, change, what):
    comparison = compare(changed(tmp_path, change, name))
    assert not comparison.passed
    assert comparison.errors[what] > 1e-10


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (
            SMALL,
            describe("trainable_names", lambda names: [*names, "pretrained_model.model.ef_new"]),
            "1 missing, 0 too many",
        ),
        (SMALL, lose_a_name, "0 missing, 1 too many"),
        (SMALL, describe("unused_trainable_no_grad", lambda names: [*names, "nothing"]), None),
        (SMALL, describe("trainable_params", lambda n: n + 1), "trained parameters"),
        (SMALL, describe("base_params", lambda n: n - 1), "base parameters"),
        (WHOLE, next_token("gen/greedy"), "greedy: 1 of"),
        (WHOLE, next_token("gen/beam4"), "beam4: 1 of"),
    ],
    ids="extra-name lost-name no-effect count base-count greedy beam".split(),
)
def test_a_changed_name_count_or_token_is_said_in_words(tmp_path, name, change, words):
    comparison = compare(changed(tmp_path, change, name))
    assert comparison.passed is (words is None)
    assert any(words in wrong for wrong in comparison.wrong) if words else comparison.wrong == []


@pytest.mark.parametrize(
    "options",
    [
        {"ffn_adapter_scalar": "2"},
        {"ffn_adapter_layernorm_option": "in"},
    ],
    ids=str,
)
def test_another_design_does_not_give_these_numbers(tmp_path, options):
    comparison = compare(changed(tmp_path, describe("official_options", lambda old: {**old, **options})))
    assert not comparison.passed


def test_a_damaged_file_is_refused(tmp_path):
    path = changed(tmp_path, lambda meta, tensors: None)
    path.with_suffix(".safetensors").write_bytes(b"not tensors")
    with pytest.raises(DataError, match="it cannot be read"):
        compare(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="it cannot be read"):
        compare(path)
