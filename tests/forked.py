"""Commands in forked processes, which do not need to import everything again.

One Python imports what all commands import and then, for each command, forks: the child has its own folder, output
and exit status, and what it registers or breaks dies with it.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

SERVER = """
import importlib, json, os, runpy, signal, sys, traceback

def run(cwd, words):
    os.chdir(cwd)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    signal.alarm(300)
    status = 0
    try:
        if words[0] == "-m":
            sys.argv, sys.path[0] = words[1:], cwd
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
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

folder, *modules = sys.argv[1:]
for module in modules:
    importlib.import_module(module)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run(*json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
MODULES = ("unidelta.cli.train", "unidelta.run.execute", "unidelta.analysis.command")


@cache
def _server() -> Callable[[Path, list[str]], tuple[int, Path]]:
    folder = tempfile.mkdtemp()
    python = subprocess.Popen(
        [sys.executable, "-c", SERVER, folder, *MODULES],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert python.stdin is not None and python.stdout is not None
    asking, answering = python.stdin, python.stdout
    atexit.register(python.wait)
    atexit.register(asking.close)

    def ask(cwd: Path, words: list[str]) -> tuple[int, Path]:
        asking.write(json.dumps([str(cwd), words]) + "\n")
        asking.flush()
        return int(answering.readline()), Path(folder)

    return ask


def forked(words: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    """What `python WORDS` does in a folder; the words begin with a script, or with -m and a module.

    Imports are not repeated: a test of what is imported, or of the very start, needs `subprocess`. A command that
    takes five minutes is killed.
    """
    status, folder = _server()(cwd, [str(word) for word in words])
    out, err = ((folder / name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(list(words), status, out, err)
