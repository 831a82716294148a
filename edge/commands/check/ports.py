"""Which program holds a port, from the kernel: a technician ends it, or chooses another."""

from pathlib import Path

PROC = Path("/proc")
LISTENS = "0A"


def holder_of(port: int) -> str:
    """Its name and number; empty where none listens, or it may not be looked at."""
    inodes = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in PROC.glob("[0-9]*"):
        try:
            held = {str(file.readlink()) for file in (process / "fd").iterdir()}
            if inodes & held:
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"{name} (process {process.name})"
        except OSError:  # it has ended, or is another user's
            continue
    return ""


def _inodes(port: int) -> set[str]:
    """Of the sockets that listen on it, at any address."""
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == LISTENS:
                found.add(fields[9])
    return found
