"""A file is what it was or what it shall be, whoever is killed and whatever the disk says."""

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.common.atomic_write import atomic_write
from hil.testkit.small_disk import small_disk

SIZE = 300_000
# Writes all of one letter, then all of another, as fast as it can.
WRITER = f"""
import sys
from pathlib import Path
from edge.common.atomic_write import atomic_write
from hil.testkit.small_disk import small_disk
while True:
    for letter in b"ab":
        atomic_write(Path(sys.argv[1]), bytes([letter]) * {SIZE}, lasting=True)
"""
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do so")


def test_whoever_is_killed_leaves_a_whole_file(tmp_path: Path) -> None:
    """At thirty moments, some of them between the draft and its taking the file's place."""
    path, rng, cut_short = tmp_path / "file", random.Random(1), 0
    for _ in range(30):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
        while not path.exists():
            time.sleep(0.01)
        time.sleep(0.1 + rng.random() * 0.1)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        content = path.read_bytes()
        assert content in (b"a" * SIZE, b"b" * SIZE)
        cut_short += len(list(tmp_path.iterdir())) > 1
    assert cut_short > 0
    atomic_write(path, b"new", lasting=True)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"new"]


@ROOT
def test_a_full_disk_keeps_the_old_one_and_no_draft(tmp_path: Path) -> None:
    with small_disk(tmp_path, "64k"):
        atomic_write(tmp_path / "file", b"old", lasting=True)
        with pytest.raises(OSError) as caught:
            atomic_write(tmp_path / "file", b"new" * SIZE, lasting=True)
        assert caught.value.errno == errno.ENOSPC
        assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]


def test_a_new_file_has_the_mode_that_is_asked(tmp_path: Path) -> None:
    atomic_write(tmp_path / "file", b"secret", lasting=False, mode=0o600)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


@ROOT
def test_a_file_keeps_its_owner_and_mode(tmp_path: Path) -> None:
    """A site file with a password, calibrated by root, stays closed, and open to the programs."""
    path = tmp_path / "site.toml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    os.chown(path, 0, 4321)
    atomic_write(path, b"new", lasting=False)
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, 4321, 0o640)
