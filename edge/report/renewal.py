"""Detects that the files of certificates or the password were replaced."""

from pathlib import Path

from edge.common.timer import Timer
from edge.site import Site

LOOK_EVERY_S = 5.0

# Of each file: which one it is, when it was last written, and its size; None while it is absent.
_Look = tuple[tuple[int, int, int] | None, ...]


class Renewal:
    """Compares the files with those that the connection was made with."""

    def __init__(self, site: Site) -> None:
        upstream = site.upstream
        named = (upstream.ca_file, upstream.cert_file, upstream.key_file, upstream.password_file)
        self._files = [site.path(file) for file in named if file is not None]
        self._used = self._last = self._look()
        self._look_timer = Timer(LOOK_EVERY_S)

    def use(self) -> None:
        """Record the files as they are now: a connection is made with them."""
        self._used = self._last = self._look()

    def due(self, now: int) -> bool:
        """Whether there are others, which have rested for a while: several are put one by one."""
        if not self._look_timer.restart_if_due(now):
            return False
        before, self._last = self._last, self._look()
        return self._last == before != self._used

    def _look(self) -> _Look:
        return tuple(_identity(file) for file in self._files)


def _identity(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
