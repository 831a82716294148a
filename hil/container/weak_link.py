"""A weak network between two namespaces, for kernels without `tc netem`: packets that pass from
one TUN device to another are lost, delayed, and sent no faster than a rate.

Namespaces belong to threads: what runs in `at_camera` or `at_unit`, and every thread it starts,
sees that end of the link alone.
"""

import ctypes
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
CAMERA, UNIT = "10.77.0.1", "10.77.0.2"
LARGEST = 1 << 16
QUEUE_BYTES = 1 << 20
NAP_S = 0.05

Made = TypeVar("Made")


@dataclass(frozen=True)
class Weather:
    """What befalls packets from the camera to the unit, as netem's options of these names do."""

    loss: float = 0.0  # share of packets
    delay_s: float = 0.0
    jitter_s: float = 0.0  # uniform, to both sides; order is kept
    rate_bytes_s: float = float("inf")


class WeakLink:
    """Needs root and /dev/net/tun. `weather` may be changed at any time."""

    def __init__(self, seed: int = 1) -> None:
        self.weather = Weather()
        self._random = random.Random(seed)
        self._ended = threading.Event()
        self._camera, self._unit = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        one = self._camera.submit(_new_end, CAMERA, UNIT).result()
        other = self._unit.submit(_new_end, UNIT, CAMERA).result()
        self._ends = (one, other)
        self._threads = [
            threading.Thread(target=self._pass, args=(one, other), daemon=True),
            threading.Thread(target=self._return, args=(other, one), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def at_camera(self, make: Callable[[], Made]) -> Made:
        """Run `make` at the camera's end."""
        return self._camera.submit(make).result()

    def at_unit(self, make: Callable[[], Made]) -> Made:
        """Run `make` at the unit's end."""
        return self._unit.submit(make).result()

    def end(self) -> None:
        """Take both devices down."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        for device in self._ends:
            os.close(device)
        self._camera.shutdown()
        self._unit.shutdown()

    def _pass(self, from_camera: int, to_unit: int) -> None:
        waiting = list[tuple[float, int, bytes]]()
        number = itertools.count()
        free_at = last_at = 0.0
        queued = 0
        while not self._ended.is_set():
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                packet = heapq.heappop(waiting)[2]
                queued -= len(packet)
                _write(to_unit, packet)
            wait_s = min(NAP_S, waiting[0][0] - now) if waiting else NAP_S
            if not select.select([from_camera], [], [], max(0.0, wait_s))[0]:
                continue
            packet = os.read(from_camera, LARGEST)
            weather, now = self.weather, time.monotonic()
            if self._random.random() < weather.loss or queued > QUEUE_BYTES:
                continue
            free_at = max(free_at, now) + len(packet) / weather.rate_bytes_s
            jitter_s = self._random.uniform(-weather.jitter_s, weather.jitter_s)
            last_at = max(last_at, free_at + max(0.0, weather.delay_s + jitter_s))
            queued += len(packet)
            heapq.heappush(waiting, (last_at, next(number), packet))

    def _return(self, from_unit: int, to_camera: int) -> None:
        while not self._ended.is_set():
            if select.select([from_unit], [], [], NAP_S)[0]:
                _write(to_camera, os.read(from_unit, LARGEST))


def _write(device: int, packet: bytes) -> None:
    try:
        os.write(device, packet)
    except OSError:  # IPv6's own words before the device is up
        return


def _new_end(own: str, peer: str) -> int:
    """A namespace for this thread, with one end of the link: the device's descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"weak0", IFF_TUN | IFF_NO_PI))
    for command in (
        "ip link set lo up",
        f"ip address add {own} peer {peer} dev weak0",
        "ip link set weak0 up",
    ):
        subprocess.run(command.split(), check=True)
    return device
