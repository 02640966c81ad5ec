"""Commands in forked processes, which do not need to import everything again.

One Python imports what all commands import and then, for each command, forks: the child has its own folder, output
and exit status, and what it registers or breaks dies with it. The Python that forks has run nothing, and so no thread
of it holds a lock that its children would wait for; a copy of a test's own process could hang for ever.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

SERVER = """
import faulthandler, importlib, json, os, runpy, signal, sys, traceback

def run(cwd, folder, words):
    os.chdir(cwd)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm(300)
    status = 0
    try:
        if words[0] == "-m":
            sys.argv, sys.path[0] = words[1:], cwd
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        elif words[0] == "-c":
            sys.argv, sys.path[0] = ["-c", *words[2:]], cwd
            exec(words[1], {"__name__": "__main__"})
        else:
            sys.argv, sys.path[0] = words, os.path.dirname(os.path.abspath(words[0]))
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        status = end.code or 0
        if isinstance(status, str):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

for module in sys.argv[1:]:
    importlib.import_module(module)
for line in sys.stdin:
    asked = json.loads(line)
    if isinstance(asked, int):
        pid, status = os.waitpid(asked, os.WNOHANG)
        answer = os.waitstatus_to_exitcode(status) if pid else None
    else:
        answer = os.fork()
        if answer == 0:
            run(*asked)
    print(json.dumps(answer), flush=True)
"""
MODULES = ("unidelta.cli.train", "unidelta.run.execute", "unidelta.analysis.command")


@cache
def _server() -> Callable[[Any], Any]:
    python = subprocess.Popen(
        [sys.executable, "-c", SERVER, *MODULES],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert python.stdin is not None and python.stdout is not None
    asking, answering = python.stdin, python.stdout
    atexit.register(answering.close)
    atexit.register(python.wait)
    atexit.register(asking.close)

    def ask(what: Any) -> Any:
        asking.write(json.dumps(what) + "\n")
        asking.flush()
        return json.loads(answering.readline())

    return ask


class Forked:
    """A command that runs: the words begin with a script, with -m and a module, or with -c and a program.

    Imports are not repeated: a test of what is imported, or of the very start, needs `subprocess`. A command that
    takes five minutes says where it stands, and is killed.
    """

    _numbers, _folder = count(), cache(tempfile.mkdtemp)

    def __init__(self, words: Sequence[str | Path], cwd: Path) -> None:
        self._words = [str(word) for word in words]
        self._output = Path(Forked._folder(), str(next(self._numbers)))
        self._output.mkdir()
        self._status: int | None = None
        self.pid: int = _server()([str(cwd), str(self._output), self._words])

    def poll(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        if self._status is None:
            self._status = _server()(self.pid)
        return self._status

    def kill(self) -> None:
        """End it in mid-work, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> subprocess.CompletedProcess[str]:
        """What it said, once it has ended."""
        while (status := self.poll()) is None:
            time.sleep(0.01)  # each look is work for two processes
        out, err = ((self._output / name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(self._words, status, out, err)


def forked(words: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    """What `python WORDS` does in a folder."""
    return Forked(words, cwd).wait()
