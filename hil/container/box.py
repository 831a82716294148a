"""A container with an own systemd, network cable, state partition and bound of memory."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

MEMORY_BYTES = 1 << 30  # the smallest board
BOUNDS = {  # cgroups of version 1, then of version 2
    "memory.limit_in_bytes": MEMORY_BYTES,
    "cpu.shares": 1024 * 20,
    "memory.max": MEMORY_BYTES,
    "cpu.weight": 100 * 20,
}
HIERARCHIES = ("systemd", "unified", "memory", "cpu")
KILLED = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
BOOT_LIMIT_S = 30.0
STATE_MB = 320  # redroad check asks for 200 that are free
STATE = "/var/lib/redroad"
# Mounted where nobody else can see it: whoever makes a mount namespace of his own would keep it.
APART = ("unshare", "--mount", "--propagation=private")
CAMERA = "/dev/video0"  # anything that opens: what matters is who may


class Box:
    """Boots `root`, a folder, and cuts its power.

    `rig` appears in it as /rig, and an ext4 file system in a file as /var/lib/redroad; `state` is
    what lies there at first.
    """

    def __init__(self, name: str, root: Path, folder: Path) -> None:
        self.name, self.root = name, root
        self.rig, self.state = folder / "rig", folder / "state"
        self._image = folder / "state.img"
        self._log = folder / "console.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.leader = 0
        self._disk = folder / "disk"
        for made in (self.rig, self.state, self._disk):
            made.mkdir(parents=True, exist_ok=True)

    def on(self) -> None:
        """Boot, if it is off; returns when PID 1 runs."""
        if self._process is not None:
            return
        self._check_disk()
        groups = [Path("/sys/fs/cgroup", kind, self.name) for kind in HIERARCHIES]
        groups = [group for group in groups if group.parent.is_dir()]
        for group in groups:
            group.mkdir(exist_ok=True)
        _bound(groups)
        enter = "".join(f"echo $$ > {group}/cgroup.procs; " for group in groups)
        mount = f"mount -o loop,errors=remount-ro {self._image} {self._disk} && "
        keep = [] if Path("/run/systemd/system").exists() else ["--keep-unit"]
        command = [
            "systemd-nspawn", "--quiet", "--boot", "--register=no", *keep, "--console=pipe",
            f"--machine={self.name}", f"--directory={self.root}", "--link-journal=no",
            f"--network-namespace-path=/run/netns/{self.name}", "--resolv-conf=off",
            f"--bind={self.rig}:/rig", f"--bind={self._disk}:{STATE}",
            f"--bind=/dev/zero:{CAMERA}",
        ]  # fmt: skip
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*APART, "sh", "-c", f'{enter}{mount}exec "$@"', "sh", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # who interrupts the rig does not interrupt the unit
            )
        self._await_leader()

    def cut(self) -> None:
        """Kill PID 1: the kernel ends everything in the container with it."""
        if self._process is None:
            return
        if self.leader:
            os.kill(self.leader, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()
        self._process, self.leader = None, 0
        self._await_disk()

    def end(self) -> None:
        """Cut the power and leave nothing behind."""
        self.cut()
        for kind in HIERARCHIES:
            _remove_groups(Path("/sys/fs/cgroup", kind, self.name))

    def call(self, *command: str, timeout_s: float = 30.0) -> str:
        """Run a command inside as root; what it printed. CalledProcessError when it failed."""
        done = subprocess.run(
            [*self.inside, *command],
            check=True,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        return done.stdout

    def ask(self, *command: str) -> bool:
        """The same, again and again while it boots; False when its power is off."""
        deadline = time.monotonic() + BOOT_LIMIT_S
        while self.leader:
            try:
                self.call(*command)
                return True
            except subprocess.SubprocessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        return False

    @property
    def inside(self) -> list[str]:
        """What makes of a command one that runs inside as root."""
        namespaces = ["--mount", "--pid", "--uts", "--ipc", "--net"]
        return ["nsenter", "--target", str(self.leader), *namespaces, "--"]

    def processes(self, unit: str) -> list[psutil.Process]:
        """The processes of a unit, its main process first."""
        found = psutil.Process(self.leader).children(recursive=True) if self.leader else []
        own = list[tuple[bool, psutil.Process]]()
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                if _is_of(process.pid, unit):
                    own.append((process.ppid() != self.leader, process))
        return [process for _, process in sorted(own, key=lambda one: one[0])]

    def _await_leader(self) -> None:
        deadline = time.monotonic() + BOOT_LIMIT_S
        assert self._process is not None
        while time.monotonic() < deadline:
            for child in psutil.Process(self._process.pid).children():
                if child.name() == "systemd":
                    self.leader = child.pid
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise RuntimeError(f"the container does not boot: {' / '.join(said[-3:])}")

    @property
    def ended_for_memory(self) -> int:
        """How many processes of this unit the kernel has ended for want of memory."""
        files = (Path("/sys/fs/cgroup", kind, self.name) for kind in HIERARCHIES)
        told = [
            file.read_text(encoding="ascii")
            for group in files
            for file in (group / "memory.oom_control", group / "memory.events")
            if file.exists()
        ]
        return sum(int(count) for text in told for count in KILLED.findall(text))

    @property
    def disk(self) -> Path:
        """The mounted partition, as this machine sees it; nothing while the power is off."""
        return Path(f"/proc/{self.leader}/root{STATE}")

    @property
    def loop(self) -> str:
        """The partition's device, such as loop0; empty while it is not mounted."""
        told = _output("losetup", "--associated", str(self._image), "--noheadings", "--output=NAME")
        return Path(told).name

    def _check_disk(self) -> None:
        """Make the file system at the first boot, and check it at each other."""
        if self._image.exists():
            subprocess.run(["e2fsck", "-p", str(self._image)], check=False, capture_output=True)
            return
        with self._image.open("wb") as image:
            image.truncate(STATE_MB << 20)
        make = ["mkfs.ext4", "-q", "-m", "0", "-d", str(self.state), str(self._image)]
        subprocess.run(make, check=True)

    def _await_disk(self) -> None:
        """Until the container's last process has let go of it: two mounts would destroy it."""
        deadline = time.monotonic() + BOOT_LIMIT_S
        while self.loop:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self._image} is still mounted as {self.loop}")
            time.sleep(0.05)


class Cable:
    """A network between unit and rig, which outlives the unit's boots."""

    def __init__(self, name: str, number: int) -> None:
        self._name, self._end = name, f"{name[:13]}-h"
        self.ours, self.theirs = f"10.232.{number}.1", f"10.232.{number}.2"
        _ip("netns", "add", name)
        _ip("link", "add", self._end, "type", "veth", "peer", "name", "host0", "netns", name)
        _ip("addr", "add", f"{self.ours}/30", "dev", self._end)
        _ip("link", "set", self._end, "up")
        for end in ("lo", "host0"):
            _ip("-n", name, "link", "set", end, "up")
        _ip("-n", name, "addr", "add", f"{self.theirs}/30", "dev", "host0")

    def cut(self) -> None:
        """Packets vanish."""
        _ip("-n", self._name, "link", "set", "host0", "down")

    def mend(self) -> None:
        """Packets pass."""
        _ip("-n", self._name, "link", "set", "host0", "up")

    def end(self) -> None:
        """Leave nothing behind."""
        _ip("netns", "delete", self._name)


def missing() -> str:
    """What this machine lacks for a container, in one line; empty when nothing is known to be."""
    if os.geteuid() != 0:
        return "the container needs root: run `sudo make test`, or in a machine of its own"
    tools = {
        "systemd-nspawn": "systemd-container", "mmdebstrap": "mmdebstrap", "ip": "iproute2",
        "mkfs.ext4": "e2fsprogs", "nsenter": "util-linux", "mosquitto": "mosquitto",
    }  # fmt: skip
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    lacking = [package for tool, package in tools.items() if not shutil.which(tool, path=path)]
    if lacking:
        return f"the container needs Debian packages: apt-get install {' '.join(lacking)}"
    kernel = Path("/proc/filesystems").read_text(encoding="ascii")
    if (
        "\toverlay\n" not in kernel
        and subprocess.run(["modprobe", "overlay"], check=False).returncode
    ):
        return "this kernel has no overlayfs, on which the container stands"
    return ""


def _is_of(pid: int, unit: str) -> bool:
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii")
    except OSError:
        return False  # ended meanwhile
    return f"/{unit}\n" in groups


def _bound(groups: list[Path]) -> None:
    """Memory of a small board; and a processor that is hardly shared, as a board's is not."""
    for group in groups:
        for file, value in BOUNDS.items():
            if (group / file).exists():
                (group / file).write_text(str(value), encoding="ascii")


def _remove_groups(top: Path) -> None:
    for folder in [*sorted(top.rglob("*/"), reverse=True), top] if top.is_dir() else []:
        for _ in range(20):
            try:
                folder.rmdir()
                break
            except OSError:
                time.sleep(0.1)  # its last process is still ending


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
