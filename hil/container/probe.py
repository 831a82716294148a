"""What a program could do in the sandbox of a unit: tried by a stranger in the unit's place."""

import json
from typing import Any

from hil.container.box import Box
from hil.rig import PROGRAMS

PROBE = """
import ctypes, json, os, socket

def tried(deed):
    try:
        deed()
    except OSError as error:
        return error.strerror
    return "done"

def inet(family):
    socket.socket(family, socket.SOCK_STREAM).close()

def reach(host):
    socket.create_connection((host, 1883), 2).close()

def read_memory(pid):
    with open(f"/proc/{pid}/mem", "rb") as memory:
        memory.read(1)

def trace(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, pid, None, None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

def send(way):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        asking.connect(f"/run/redroad/{way}/socket")

def take(way):
    os.rename(f"/run/redroad/{way}", f"/run/redroad/{way}-taken")

print("PROBE" + json.dumps({
    "ipv4": tried(lambda: inet(socket.AF_INET)),
    "ipv6": tried(lambda: inet(socket.AF_INET6)),
    "packet": tried(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()),
    "broker": tried(lambda: reach("{host}")),
    "camera": tried(lambda: open("/dev/video0", "rb").close()),
    "memory of watch": tried(lambda: read_memory({watch})),
    "trace of watch": tried(lambda: trace({watch})),
    "folder of watch": tried(lambda: os.listdir("/var/lib/redroad/watch")),
    "interfaces": sorted(name for _, name in socket.if_nameindex()) if {netlink} else [],
    "uid": os.getuid(),
    "sent": [way for way in {ways} if tried(lambda: send(way)) == "done"],
    "taken": [way for way in {others} if tried(lambda: take(way)) == "done"],
}))
"""


# What the beacon needs of lgpio, up to the chip, which no container has; and without our folder.
PINS = """
import importlib, json, os
from pathlib import Path
from edge.common.errors import BeaconError
from edge.show.gpio import gpio_factory

def without_a_folder():
    if os.fork() == 0:  # a failed import leaves its traces
        try:
            importlib.import_module("lgpio")
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.wait()[1])

def with_ours():
    try:
        gpio_factory(Path("/run/redroad/pins"))
    except BeaconError as error:
        return str(error)

print("PROBE" + json.dumps({
    "cwd": os.getcwd(), "uid": os.getuid(), "alone": without_a_folder(), "ours": with_ours(),
}))
"""
OUR_PYTHON = "/usr/lib/redroad/bin/python"


def probe(box: Box, program: str, host: str, watch: int) -> dict[str, Any]:
    """What is possible in `program`'s sandbox: its own unit file, with another command in it.

    `host` is the broker's address, `watch` the process id of watch inside the container.
    """
    code = PROBE.replace("{host}", host).replace("{watch}", str(watch))
    code = code.replace("{netlink}", str(program == "watch"))
    ways = [f"{sender}-to-{receiver}" for sender in PROGRAMS for receiver in PROGRAMS]
    code = code.replace("{ways}", str(ways))
    code = code.replace("{others}", str([way for way in ways if not way.endswith(f"-{program}")]))
    return in_place_of(box, program, "/usr/bin/python3", code)


def in_place_of(box: Box, program: str, python: str, code: str) -> dict[str, Any]:
    """What `code` tells after "PROBE", as JSON, run in the sandbox of `program`."""
    name = f"redroad-{program}probe.service"
    text = box.call("cat", f"/usr/lib/systemd/system/redroad-{program}.service")
    (box.root / "usr/lib/redroad/probe.py").write_text(code, encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith(LEFT_OUT)]
    where = kept.index("[Service]") + 1
    kept[where:where] = ["Type=oneshot", f"ExecStart={python} /usr/lib/redroad/probe.py"]
    folder = box.root / "etc/systemd/system"
    (folder / name).write_text("\n".join(kept) + "\n", encoding="utf-8")
    box.call("systemctl", "daemon-reload")
    try:
        box.call("systemctl", "start", name)
        said = box.call("journalctl", "--no-pager", "--output=cat", f"--unit={name}")
    finally:
        (folder / name).unlink()
        (box.root / "usr/lib/redroad/probe.py").unlink()
    told: dict[str, Any] = json.loads(said.rpartition("PROBE")[2].splitlines()[0])
    return told


LEFT_OUT = ("Type=", "ExecStart=", "Restart", "WatchdogSec=", "Documentation=")
