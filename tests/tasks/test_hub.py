"""The hub source, with the hub played by a stub: no test opens a connection."""

import threading
import time
import urllib.error
import urllib.request

import datasets
import huggingface_hub.constants
import pytest

from unidelta import hub
from unidelta.errors import DataError, Problems
from unidelta.tasks import load, load_all

DATASET = datasets.Dataset.from_list([{"sentence": f"film {i}", "label": 0} for i in range(4)])


@pytest.fixture
def online(monkeypatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)


def play_hub(monkeypatch, answer) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", answer)


def unreachable(*args, **kwargs):
    raise urllib.error.URLError("no route")


def error_page(*args, **kwargs):
    raise urllib.error.HTTPError("https://hub", 503, "busy", None, None)


def test_a_hub_that_answers_is_asked_for_the_split(make_task, monkeypatch, online) -> None:
    calls = []

    def load_dataset(*args, **kwargs):
        calls.append((args, kwargs))
        return DATASET

    play_hub(monkeypatch, error_page)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    spec = make_task("sst2", source="hub", hub_id="nyu-mll/glue", hub_config="sst2", max_test_examples=3)
    assert len(load(spec, "validation")) == 3
    assert calls == [(("nyu-mll/glue", "sst2"), {"split": "validation", "revision": None})]


def test_without_a_hub_the_message_says_what_to_type(make_task, monkeypatch, online) -> None:
    play_hub(monkeypatch, unreachable)
    begin = time.perf_counter()
    with pytest.raises(Problems) as caught:
        load_all(make_task("sst2", source="hub", hub_id="nobody/such-data", hub_config="sst2"))
    assert time.perf_counter() - begin < 3
    assert str(caught.value) == (
        "You asked:  split train of nobody/such-data (sst2) from the hub, for task sst2\n"
        "Why not:    the hub did not answer within 3 s, "
        "and the data set is not in the cache of this machine\n"
        "Instead:    task.source=local task.path=DIR with the data set's files, or task.source=mini"
    )


def test_a_name_server_that_hangs_costs_no_more_than_the_timeout(make_task, monkeypatch, online) -> None:
    released = threading.Event()

    def hang(*args, **kwargs):
        released.wait(10)
        raise urllib.error.URLError("at last")

    play_hub(monkeypatch, hang)
    monkeypatch.setattr(hub, "TIMEOUT_S", 0.2)
    begin = time.perf_counter()
    with pytest.raises(DataError, match="did not answer"):
        load(make_task("sst2", source="hub"), "train")
    assert time.perf_counter() - begin < 5
    released.set()


def test_without_a_hub_the_cache_is_used_and_the_switch_put_back(make_task, monkeypatch, online) -> None:
    seen = []

    def load_dataset(*args, **kwargs):
        seen.append((datasets.config.HF_HUB_OFFLINE, huggingface_hub.constants.HF_HUB_OFFLINE))
        return DATASET

    play_hub(monkeypatch, unreachable)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    assert len(load(make_task("sst2", source="hub"), "train")) == 4
    assert seen == [(True, True)]
    assert (datasets.config.HF_HUB_OFFLINE, huggingface_hub.constants.HF_HUB_OFFLINE) == (False, False)


def test_a_hub_switched_off_is_not_knocked_at(make_task, monkeypatch, online) -> None:
    def knocked(*args, **kwargs):
        raise AssertionError("The hub was asked.")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "_answers", knocked)
    with pytest.raises(DataError, match=r"the hub is switched off \(HF_HUB_OFFLINE\)"):
        load(make_task("sst2", source="hub", hub_id="nobody/such-data"), "train")


def test_a_loading_script_is_replaced_by_the_hubs_parquet_copy(make_task, monkeypatch, online) -> None:
    revisions = []

    def load_dataset(*args, revision, **kwargs):
        revisions.append(revision)
        if revision is None:
            raise RuntimeError("Dataset scripts are no longer supported, but found xsum.py")
        return DATASET

    play_hub(monkeypatch, error_page)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    load(make_task("xsum", source="hub"), "train")
    assert revisions == [None, "refs/convert/parquet"]


def test_what_the_hub_refuses_is_told_in_one_line(make_task, monkeypatch, online) -> None:
    def load_dataset(*args, **kwargs):
        raise ValueError('Unknown split "dev". Should be one of train.\nand more')

    play_hub(monkeypatch, error_page)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(DataError) as caught:
        load(make_task("sst2", source="hub"), "dev")
    assert caught.value.why == 'ValueError: Unknown split "dev". Should be one of train.'
