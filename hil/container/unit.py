"""A whole unit in a container, with all that is around it."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.common.clock import boottime_ns
from hil.container.box import Box, Cable
from hil.container.devices import FolderCamera, PipeSound, RealBroker, RecordedLamp, RecordedPanel
from hil.container.film import FPS, make_film
from hil.container.inside import (
    SITE,
    Burden,
    FakedClock,
    InstalledFiles,
    StatePartition,
    Units,
)
from hil.container.install import install, own_processor, version_of
from hil.container.root import base_root, layered, release
from hil.container.rtsp import RtspCamera
from hil.rig import Rig
from hil.testkit.locked import locked

CHECKOUT = Path(__file__).parents[2]
CACHE = CHECKOUT / "build" / "rig"
SECRET = "canary-of-the-password"
SITE_TEXT = """
[site]
name = "rig"
unit = "one"
clock = "trusted"
[camera]
{camera}
[sign]
panel = "recorder"
[voice]
output = "aplay"
card = "rig"
repeat_s = 5.0
[beacon]
output = "simulated"
[upstream]
host = "{host}"
username = "rig"
password_file = "/etc/redroad/password"
aggregate_s = 5
"""
NETWORK_CAMERA = "etc/systemd/system/redroad-watch.service.d/network-camera.conf"
CLOCK = "etc/systemd/system/redroad-{}.service.d/clock.conf"
# Watch and decide never ask for the time of day; and libfaketime 0.9.10 breaks watch's sleeping.
READS_THE_CLOCK = ("show", "report")
# The recorders are no part of the product: a real panel needs no right to write files.
RECORDERS = "[Service]\nReadWritePaths=/rig/panel /rig/lamp\n"


class Supply:
    """The container's power, on which panel and lamp hang, too."""

    def __init__(self, box: Box, panel: RecordedPanel, lamp: RecordedLamp) -> None:
        self._box, self._panel, self._lamp = box, panel, lamp

    def on(self) -> None:
        """Let it boot."""
        self._box.on()

    def cut(self) -> None:
        """Pull the plug."""
        at = boottime_ns()
        self._box.cut()
        self._panel.darken(at)
        self._lamp.darken(at)


@dataclass(frozen=True)
class Unit(Rig):
    """The rig, and what only a container lets one see."""

    box: Box
    listener: RealBroker
    host: str


@contextmanager
def unit(
    folder: Path,
    *,
    settable_clock: bool = False,
    streamed: bool = False,
    codename: str | None = None,
) -> Iterator[Unit]:
    """An installed unit that has been switched on; everything in `folder` is of this run alone.

    Its clock can be set, or its camera is one on the network, if that is asked for. It has
    Debian's release `codename`, else that of this machine.
    """
    name = f"rr{os.getpid():x}{random.randrange(16**4):04x}"
    with ExitStack() as ended:
        film, *layers = _parts(codename or release())
        root = ended.enter_context(layered(folder / "root", folder / "changes", *layers))
        cable = Cable(name, random.randrange(256))
        ended.callback(cable.end)
        box = Box(name, root, folder)
        ended.callback(box.end)
        sound = PipeSound(box.rig / "sound")
        ended.callback(sound.end)
        broker = RealBroker(folder / "broker", cable)
        ended.callback(broker.end)
        camera = _camera(box.rig / "camera", film, cable, streamed)
        ended.callback(camera.end)
        _furnish(root, box, cable, _drop_ins(root, cable, settable_clock, streamed), camera)
        panel, lamp = RecordedPanel(box.rig / "panel"), RecordedLamp(box.rig / "lamp")
        made = Unit(
            power=Supply(box, panel, lamp),
            programs=Units(box),
            files=InstalledFiles(root),
            camera=camera,
            panel=panel,
            lamp=lamp,
            sound=sound,
            broker=broker,
            clock=FakedClock(box.rig / "clock"),
            disk=StatePartition(box),
            load=Burden(box),
            box=box,
            listener=broker,
            host=cable.ours,
        )
        box.on()
        yield made


def _parts(codename: str) -> tuple[Path, Path, Path]:
    """Film, product and Debian, each made anew when it has changed; by one at a time."""
    with locked(CACHE):
        base = base_root(CACHE, codename)
        layer = CACHE / f"installed-{codename}-{version_of(CHECKOUT)}"
        if not layer.exists():
            _remove_old_layers(codename)
            draft = CACHE / "installed-draft"
            shutil.rmtree(draft, ignore_errors=True)
            with layered(CACHE / "draft", draft, base) as root:
                install(root, CHECKOUT, codename, own_processor())
            draft.rename(layer)
        return make_film(CACHE), layer, base


def _remove_old_layers(codename: str) -> None:
    in_use = Path("/proc/mounts").read_text(encoding="utf-8")
    for old in CACHE.glob(f"installed-{codename}-*"):
        if str(old) not in in_use:
            shutil.rmtree(old)


def _camera(folder: Path, film: Path, cable: Cable, streamed: bool) -> FolderCamera | RtspCamera:
    return RtspCamera(cable.ours, film, FPS) if streamed else FolderCamera(folder, film, FPS)


def _drop_ins(root: Path, cable: Cable, settable_clock: bool, streamed: bool) -> dict[str, str]:
    """What the units have beyond what is shipped, by file."""
    example = (CHECKOUT / "systemd/examples/network-camera.conf").read_text(encoding="utf-8")
    clocked = READS_THE_CLOCK if settable_clock else ()
    return {
        "etc/systemd/system/redroad-show.service.d/rig.conf": RECORDERS,
        **{CLOCK.format(program): FakedClock.drop_in(root) for program in clocked},
        **({NETWORK_CAMERA: example.replace("192.0.2.10", cable.ours)} if streamed else {}),
    }


def _furnish(
    root: Path,
    box: Box,
    cable: Cable,
    drop_ins: Mapping[str, str],
    camera: FolderCamera | RtspCamera,
) -> None:
    """Site file, sound card and recorders of this unit."""
    site = SITE_TEXT.format(camera=camera.site, host=cable.ours)
    for file, text in {SITE: site, "etc/redroad/password": f"{SECRET}\n", **drop_ins}.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text, encoding="utf-8")
    own = "chown redroad-report /etc/redroad/password; chmod 600 /etc/redroad/password"
    subprocess.run(["chroot", str(root), "sh", "-c", own], check=True)
    (root / "etc/asound.conf").unlink(missing_ok=True)
    (root / "etc/asound.conf").symlink_to("/rig/sound/asound.conf")
    recorded = box.state / "show"
    recorded.mkdir()
    (recorded / "panel").symlink_to("/rig/panel")
    (recorded / "beacon.jsonl").symlink_to("/rig/lamp/beacon.jsonl")
