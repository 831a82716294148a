"""What is around the unit: camera, panel, loudspeaker, broker. All outside of the container."""

import contextlib
import json
import os
import select
import shutil
import signal
import threading
from collections.abc import Set
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from edge.common.clock import boottime_ns
from edge.watch.cameras.rig import FILM, Mishap
from hil.container.box import Cable
from hil.rig import DARK, UNPLUGGED, Lit, Shown
from hil.testkit.mosquitto import Listener, Mosquitto

ASOUND = """
pcm.rig { type file slave.pcm { type null } file "/rig/sound/card" format raw }
"""
ANYBODY = 0o777  # the unit's users are none of this machine's


class FolderCamera:
    """The film of a street; what befalls the camera is a file (edge/watch/cameras/rig.py)."""

    def __init__(self, folder: Path, film: Path, fps: float) -> None:
        self.site = f'kind = "rig"\nfolder = "/rig/camera"\nfps = {fps}'
        self._folder = _made(folder)
        try:
            os.link(film, folder / FILM)
        except OSError:  # on another disk
            shutil.copyfile(film, folder / FILM)

    def fail(self, mishap: Mishap) -> None:
        """Let something befall it."""
        (self._folder / mishap).touch()

    def mend(self, mishap: Mishap) -> None:
        """As before; what else has befallen it lasts."""
        (self._folder / mishap).unlink(missing_ok=True)

    def end(self) -> None:
        """There is nothing to give back."""


class _Record:
    """Lines of JSON that the unit adds to; each is read once."""

    def __init__(self, file: Path) -> None:
        self._file, self._read = file, 0

    def new(self) -> list[Any]:
        """What was added since."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as record:
            record.seek(self._read)
            text = record.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


class RecordedPanel:
    """The recorder's own file is what can be seen in the street."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._record = _made(folder), _Record(folder / "panel.jsonl")
        self._shown: list[Shown] = []
        self._plugged = True

    def shown(self) -> list[Shown]:
        """Every change so far, in order."""
        self._shown += [Shown(line["at"], line["message"]) for line in self._record.new()]
        return self._shown

    def unplug(self) -> None:
        """Nobody in the unit may write there."""
        self._folder.chmod(0o700)
        self._plugged = False
        self.darken(boottime_ns())

    def darken(self, at: int) -> None:
        """It shows nothing from `at` on, whatever a dying program still wrote."""
        self._shown = [change for change in self.shown() if change.at < at]
        self._shown.append(Shown(at, DARK if self._plugged else UNPLUGGED))

    def plug(self) -> None:
        """It takes what it is given."""
        self._plugged = True
        self._folder.chmod(ANYBODY)


class RecordedLamp:
    """The beacon's recorder, likewise."""

    def __init__(self, folder: Path) -> None:
        self._record = _Record(_made(folder) / "beacon.jsonl")
        self._lit: list[Lit] = []

    def lit(self) -> list[Lit]:
        """Every change so far, in order."""
        self._lit += [Lit(line["at"], line["lit"]) for line in self._record.new()]
        return self._lit

    def darken(self, at: int) -> None:
        """Without power it is off from `at` on."""
        self._lit = [*(change for change in self.lit() if change.at < at), Lit(at, lit=False)]


class PipeSound:
    """A sound card of real ALSA whose other end is read here; who does not read hangs it."""

    def __init__(self, folder: Path) -> None:
        self._config = _made(folder) / "asound.conf"
        self._pipe = folder / "card"
        os.mkfifo(self._pipe)
        self._pipe.chmod(0o666)
        self._reader = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)  # never at its end
        self._heard_at = 0
        self._takes, self._ended = threading.Event(), threading.Event()
        self.mend()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def heard_at(self) -> int:
        """When something was heard last; 0 for never."""
        return self._heard_at

    def hang(self) -> None:
        """Its buffer runs full."""
        self._takes.clear()

    def vanish(self) -> None:
        """No card of this name is known."""
        self._config.write_text("", encoding="ascii")

    def mend(self) -> None:
        """It plays; what waited in its buffer is never heard."""
        self._config.write_text(ASOUND, encoding="ascii")
        if not self._takes.is_set():
            with contextlib.suppress(BlockingIOError):
                while os.read(self._reader, 1 << 16):
                    pass
        self._takes.set()

    def end(self) -> None:
        """Give the pipe back."""
        self._ended.set()
        self._takes.set()
        self._thread.join()
        os.close(self._reader)

    def _listen(self) -> None:
        while not self._ended.is_set():
            self._takes.wait()
            readable, _, _ = select.select([self._reader], [], [], 0.1)
            with contextlib.suppress(BlockingIOError):
                if readable and any(os.read(self._reader, 1 << 16)):
                    self._heard_at = boottime_ns()


class _Timed(Listener):
    """Knows when something came last."""

    heard_at = 0

    def _take(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        self.heard_at = boottime_ns()
        super()._take(client, data, message)


class RealBroker:
    """A Mosquitto at the other end of the unit's cable, and a listener beside it."""

    def __init__(self, folder: Path, cable: Cable) -> None:
        folder.mkdir(exist_ok=True)
        extra = f"allow_anonymous true\nlistener 1883 {cable.ours}"
        self._cable, self._broker = cable, Mosquitto(folder, extra)
        self._broker.start()
        self._listener = _Timed(self._broker.port)
        self._taken, self._events = 0, set[str]()

    def cut(self) -> None:
        """Packets vanish."""
        self._cable.cut()

    def hang(self) -> None:
        """It keeps its connections and answers nothing."""
        self._broker.send(signal.SIGSTOP)

    def mend(self) -> None:
        """As it was."""
        self._broker.send(signal.SIGCONT)
        self._cable.mend()

    def events(self) -> Set[str]:
        """The ids of all events that have arrived."""
        messages = self._listener.messages
        new, self._taken = messages[self._taken :], len(messages)
        self._events |= {told["id"] for topic, told, _ in new if topic.endswith("/events")}
        return self._events

    def heard_at(self) -> int:
        """When something came from the unit last."""
        return self._listener.heard_at

    def heard(self) -> list[tuple[str, Any, bool]]:
        """Everything that came: topic, payload, retained."""
        return self._listener.messages

    def end(self) -> None:
        """Leave nothing behind."""
        self._broker.send(signal.SIGCONT)
        self._listener.close()
        self._broker.kill()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(ANYBODY)
    return folder
