"""A function called in a process of its own, on a machine that is broken for it alone.

Forked from a server that has the modules already: twenty milliseconds where a command of its own
takes a second. What it reads of the system may be other files and disks, mounted in a namespace
that ends with it.
"""

import ctypes
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")

LIMIT_S = 150.0
CLONE_NEWNS = 0x00020000  # linux/sched.h
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["__main__", "edge.commands.bundle.bundle"])


def apart(
    function: Callable[..., Result],
    *arguments: object,
    errors: Path,
    environment: Mapping[str, str] | None = None,
    mounts: Sequence[str] = (),
) -> Result:
    """What `function`, which has to be importable, returns; what it raises is raised here, too.

    `environment` is added to this process's; `mounts` are shell lines, run as root before; what
    goes to the standard error is appended to the file `errors`.
    """
    ours, theirs = _SERVER.Pipe()
    words = {**os.environ, **(environment or {})}
    child = _SERVER.Process(
        target=_call, args=(theirs, function, arguments, (errors, words, list(mounts)))
    )
    child.start()
    theirs.close()
    try:
        assert ours.poll(LIMIT_S), f"{function.__name__} gave no answer in {LIMIT_S:g} s"
        good, answer = ours.recv()
    finally:
        child.kill()
        child.join()
        ours.close()
    if not good:
        raise answer
    result: Result = answer
    return result


def _call(
    answers: Connection,
    function: Callable[..., Any],
    arguments: Sequence[object],
    surroundings: tuple[Path, Mapping[str, str], Sequence[str]],
) -> None:
    errors, environment, mounts = surroundings
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND), sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(environment)
    try:
        if mounts:
            _in_a_namespace(mounts)
        answers.send((True, function(*arguments)))
    except Exception as error:  # noqa: BLE001  whatever it is, the test that called is told
        answers.send((False, error))


def _in_a_namespace(mounts: Sequence[str]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "no mount namespace can be made")
    lines = "set -e\nmount --make-rprivate /\n" + "\n".join(mounts)
    subprocess.run(["sh", "-c", lines], check=True)
