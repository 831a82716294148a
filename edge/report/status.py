"""What was last sent upstream, in a file beside the sockets, for anyone at the unit."""

import contextlib
import errno
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.common.atomic_write import atomic_write
from edge.common.clock import boottime_ns
from edge.common.link import listens
from edge.common.program import PROGRAMS, Paths, Program
from edge.common.units import NS_PER_S

STATUS_FILE = "status.json"
WRITTEN_EVERY_S = 10.0
STATUS_STALE_AFTER_S = 30.0
STATUS_BYTES = 1 << 20  # at most


@dataclass(frozen=True)
class Status:
    """The state and health payloads, as upstream has them, `age_s` seconds ago.

    `site` is the digest of the site file that the unit began with.
    """

    age_s: float
    site: str
    state: Mapping[str, Any]
    health: Mapping[str, Any]


def write_status(program: Program, site: str, state: str, health: str) -> None:
    """Keep both payloads (JSON) of the site with this digest.

    A folder that does not take them is a fault, and no more.
    """
    path = program.paths.runtime / STATUS_FILE
    content = f'{{"site":"{site}","state":{state},"health":{health}}}\n'
    try:
        atomic_write(path, content.encode(), lasting=False)
    except OSError as error:
        program.fault("status", f"{path} cannot be written ({error.strerror}); free that folder")
    else:
        program.recovered("status")


def forget_status(paths: Paths) -> None:
    """Delete the file: a unit that has ended reports nothing. Disk errors are ignored."""
    with contextlib.suppress(OSError):
        (paths.runtime / STATUS_FILE).unlink()


def status_text(paths: Paths) -> str:
    """Return the file's text, up to a bound. OSError where it is no file.

    Who asks may be root, and `report` might have been taken over: no link is followed to a file
    that only root may read, and no pipe waited for.
    """
    path = paths.runtime / STATUS_FILE
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, "is no file", str(path))
        return opened.read(STATUS_BYTES).decode()


def read_status(paths: Paths) -> Status | None:
    """Return what a unit that runs in these folders sent last; None where none runs.

    That one runs is seen by who listens: a boot's name is another in a container than in a service
    there, and a time since boot alone may be that of an earlier one.
    """
    try:
        content = json.loads(status_text(paths))
        site, state, health = str(content["site"]), dict(content["state"]), dict(content["health"])
        age_s = (boottime_ns() - int(health["at_boot_ns"])) / NS_PER_S
    except (OSError, ValueError, KeyError, TypeError):
        return None
    lives = any(listens(paths.runtime, program) for program in PROGRAMS)
    fresh = 0 <= age_s <= STATUS_STALE_AFTER_S
    return Status(age_s, site, state, health) if lives and fresh else None
