"""The progress bar does not wait for what another process holds."""

import subprocess
import sys

ANOTHER_DIES_WITH_THE_LOCK = """
import os
from tqdm import tqdm
from unidelta.training.progress import ProgressBar
lock = tqdm.get_lock()
child = os.fork()
if child == 0:
    lock.acquire()
    os._exit(0)
os.waitpid(child, 0)
bar = ProgressBar(3, step=0, is_shown=True)
bar.show({"step": 2, "loss": 1.5})
bar.close()
"""


def test_a_forked_process_that_died_with_tqdms_lock_stops_no_training():
    ended = subprocess.run(
        [sys.executable, "-c", ANOTHER_DIES_WITH_THE_LOCK], capture_output=True, text=True, timeout=100, check=True
    )
    assert "2/3" in ended.stderr and "loss=1.5" in ended.stderr
