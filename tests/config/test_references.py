"""References and paths from the root in a file of one's own, which nothing would find."""

import pytest

from unidelta.config.own_files import check_own_files
from unidelta.errors import Problems


@pytest.mark.parametrize(
    ("name", "content", "why", "instead"),
    [
        ("experiment/mine", "defaults: [/experiment/quick]", "own group is named alone", "quick"),
        ("experiment/mine", "defaults: [/method/lora]", "is chosen already", "override /method: lora"),
        ("experiment/mine", "results_dir: ${RUNS}/a", "no key `RUNS`, and .* of the shell", "the value itself; ~"),
        ("experiment/mine", "tracking: {group: 'a-${method.nam}'}", "no key `method.nam`", "${method.name}"),
        ("task/mine", "defaults: [xsum]\nname: mine\nmetrics: ['${zzz}']", "no key `zzz`", "the value itself"),
        ("experiment/mine", "results_dir: $PATH/a", "no key `PATH`, and .* of the shell", "the value itself; ~"),
    ],
)
def test_what_a_file_refers_to_in_vain_is_told(name, content, why, instead, folder):
    file = folder({f"{name}.yaml": content}) / f"{name}.yaml"
    with pytest.raises(Problems, match=why) as refusal:
        check_own_files()
    assert refusal.value.asked.endswith(f" in {file}") and refusal.value.instead.startswith(instead)


@pytest.mark.parametrize(
    "content",
    [
        *("results_dir: ~/a-${seed}-${method.name}", "defaults: [/tuned/mini/xsum_lora]", "mini: {seed: '${seed}'}"),
        "tracking: {group: $PATH}",
    ],
)
def test_what_can_be_read_is_not_refused(content, folder):
    folder({"experiment/mine.yaml": content})
    check_own_files()
