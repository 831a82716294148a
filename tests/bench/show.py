"""What `show` takes of a processor while nothing happens, on each panel that this machine can have.

The peer is a plain signage loop: pygame, the same picture drawn and flipped thirty times a second.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from edge.common.clock import boottime_ns
from edge.common.wire import Level
from edge.decide.orders import order_for
from edge.site import Site
from edge.site.overrides import phrases_of
from hil.testkit.clips import make_clip
from hil.testkit.mosquitto import free_port
from hil.testkit.show_process import ShowProcess

AIM_CPU, AIM_MB = 5.0, 80.0
OFFSCREEN = {"SDL_VIDEODRIVER": "dummy"}
# A real screen goes with a real camera, unless the simulated one is asked for.
SITE = '[camera]\nkind = "scene"\n[sign]\npanel = "{panel}"\n{more}[voice]\noutput = "record"\n'
PANELS = {"recorder": "", "hdmi": "", "emulator": "port = {port}\n"}
PEER = """
import pygame
pygame.display.init()
screen = pygame.display.set_mode((0, 0), pygame.FULLSCREEN)
picture = pygame.Surface((128, 64))
clock = pygame.time.Clock()
while True:
    screen.fill((0, 0, 0))
    screen.blit(picture, (0, 0))
    pygame.display.flip()
    pygame.event.pump()
    clock.tick(30)
"""


def bench_show_idle(panel: str, idle_s: float) -> None:
    """Per cent of one core and memory, with the drivers' processes, while CROWDED stands."""
    print(f"\n`show` on {panel}, two pages that turn, {idle_s:.0f} s: share of a core, memory")
    peer = subprocess.Popen([sys.executable, "-c", PEER], env=os.environ | OFFSCREEN)
    try:
        time.sleep(2.0)
        share = _share([psutil.Process(peer.pid)], lambda: None, idle_s)
    finally:
        peer.kill()
        peer.wait()
    print(f"pygame loop, 30 Hz  {share:5.2f} %   (the peer)")
    with tempfile.TemporaryDirectory() as folder:
        _bench_panel(panel, Path(folder), share, idle_s)


def _bench_panel(panel: str, folder: Path, peer: float, idle_s: float) -> None:
    site = SITE.format(panel=panel, more=PANELS[panel].format(port=free_port()))
    for name in phrases_of(Site()):
        make_clip(folder / "show" / "voice" / f"{name}.wav", 8.0)
    show = ShowProcess(folder, site, **OFFSCREEN)
    try:
        show.until(lambda: show.process.poll() is not None or _has_drivers(show), 60.0)
        time.sleep(3.0)
        if (code := show.process.poll()) is not None:
            raise RuntimeError(f"show ended with {code}: {show.log().splitlines()[-1:]}")
        processes = [psutil.Process(show.process.pid), show.child("panel"), show.child("beacon")]
        share = _share(processes, lambda: _order(show), idle_s)
        held = sum(process.memory_full_info().pss for process in processes) / 1e6
        ratio = f"{share / peer:.2f} of the peer; " if peer else ""
        taken = f"{share:5.2f} %   {ratio}{_verdict(share, AIM_CPU)} %"
        print(f"{panel:<18}  {taken}   {held:5.1f} MB; {_verdict(held, AIM_MB)} MB")
    finally:
        show.end()


def _has_drivers(show: ShowProcess) -> bool:
    children = psutil.Process(show.process.pid).children()
    return {"panel", "beacon"} <= {child.name() for child in children}


def _order(show: ShowProcess) -> None:
    show.sender.send(order_for(Level.CROWDED, Site(), boottime_ns()))
    show.report.receive(0)


def _share(
    processes: list[psutil.Process], every_half_second: Callable[[], None], idle_s: float
) -> float:
    """Per cent of one core that they take together, over so many seconds."""
    before, began = _cpu_s(processes), time.monotonic()
    while time.monotonic() - began < idle_s:
        every_half_second()
        time.sleep(0.5)
    return 100 * (_cpu_s(processes) - before) / (time.monotonic() - began)


def _cpu_s(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _verdict(value: float, aim: float) -> str:
    return f"aim {aim:g}: {'ok' if value <= aim else 'over'}"
