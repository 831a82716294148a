"""`make bench`: speed, start and memory, printed beside their aims. Nothing here is a test.

Times are medians, taken in turns with the peer, so that what else the machine does hits both.
A row that cannot be measured says why, and the next one follows; the exit code is then 1.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count as count_from
from itertools import cycle, pairwise
from pathlib import Path

import msgspec
import numpy as np
import psutil

from edge.commands.run import CHILDREN
from edge.common.clock import boottime_ns
from edge.common.sighting import SIGHTINGS, HeadMap, Motion, PictureHealth, Sighting
from edge.common.units import NS_PER_S
from edge.common.wire import ORDERS
from edge.decide.decider import Decider
from edge.decide.orders import order_for
from edge.decide.zones import ZoneCounter
from edge.site import Site
from edge.site.ground.region import Region
from edge.site.schema import DEMO_GROUND, SceneOptions, Zone
from edge.street.scene import Scene
from edge.watch.counter import Counter
from edge.watch.frame import Frame, Pixels
from edge.watch.health import HealthJudge
from edge.watch.look import look_at
from edge.watch.manifest import Manifest, ModelEntry, shipped_manifest
from edge.watch.motion import MotionMeter
from edge.watch.runtime import make_interpreter
from edge.watch.second import AGAIN_S, EVERY_S, SECOND_SCALE
from hil.testkit.appliance import SCENE_SITE, Appliance
from hil.testkit.mosquitto import wait_for
from tests.bench import frozen_rates
from tests.bench.show import PANELS, bench_show_idle

PEER = shipped_manifest().parent / "comparison" / "peers" / "mobilenetv2-0.5-640x352.tflite"
PEER_OF = "street-640x352"
LARGE = (1920, 1080)
MEMORY_AIM_MB = {"watch": 150, "decide": 80, "show": 80, "report": 80}


@dataclass(frozen=True)
class Effort:
    """How often a work is repeated, and for how many seconds processes are watched."""

    rounds: int = 40
    unkept: int = 5  # rounds before those that count
    settle_s: float = 15.0
    idle_s: float = 20.0
    pictures: int = 4  # sizes of the flow's: the largest takes minutes to draw


SHORT = Effort(rounds=1, unkept=1, settle_s=1.0, idle_s=1.0, pictures=1)


@cache
def street(width: int = 640, height: int = 352) -> Pixels:
    """The simulated one, at a busy moment; drawing it takes longer than much that is measured."""
    return Scene(width, height).at(28.0).pixels


def median_ms(effort: Effort, *works: Callable[[], object]) -> list[float]:
    """The median milliseconds of each, run in turns."""
    times: list[list[float]] = [[] for _ in works]
    for round_number in range(effort.unkept + effort.rounds):
        for work, taken in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            if round_number >= effort.unkept:
                taken.append(1000 * (time.perf_counter() - began))
    return [statistics.median(taken) for taken in times]


def verdict(value: float, aim: float) -> str:
    return f"aim {aim:g}: {'ok' if value <= aim else 'over'}"


def peer(threads: int) -> Callable[[], object]:
    """A plain MobileNetV2 0.5 trunk of the same input, made by models/comparison/peers.py."""
    interpreter = make_interpreter("litert", PEER.read_bytes(), threads)
    details = interpreter.get_input_details()[0]
    zeros = np.zeros(details["shape"], np.int8)

    def work() -> None:
        interpreter.set_tensor(details["index"], zeros)
        interpreter.invoke()

    return work


def bench_counter(manifest: Manifest, effort: Effort) -> None:
    """Every size, one thread and two."""
    print("\nCounter, int8, LiteRT: letterbox, network and finish")
    print(
        "model               threads       ms   GMAC/s   against MobileNetV2-0.5 trunk, same input"
    )
    for entry in manifest.entries:
        for threads in (1, 2):
            counter = Counter(manifest, entry, "litert", threads)
            pixels = street(*entry.input)
            works: list[Callable[[], object]] = [lambda c=counter, p=pixels: c.count(p)]  # type: ignore[misc]
            if entry.name == PEER_OF:
                works.append(peer(threads))
            taken = median_ms(effort, *works)
            ratio = f"{taken[0] / taken[1]:.2f} times its {taken[1]:.1f} ms" if taken[1:] else ""
            _print_counter(entry, threads, taken[0], ratio)


def _print_counter(entry: ModelEntry, threads: int, taken_ms: float, ratio: str) -> None:
    rate = entry.gmac / (taken_ms / 1000)
    print(f"{entry.name:<21} {threads:>5} {taken_ms:>8.1f} {rate:>8.1f}   {ratio}")


def bench_way(counter: Counter, effort: Effort) -> None:
    """All that happens to a frame beside the counter."""
    site = Site()
    pixels = street()
    heads = counter.count(pixels)
    judge, decider = HealthJudge(), Decider(site)
    sighting = Sighting(0, 1, heads, PictureHealth(), PEER_OF)

    def work() -> None:
        now = boottime_ns()
        judge.judge(Frame(pixels, now))
        received = SIGHTINGS.decode(
            SIGHTINGS.encode(msgspec.structs.replace(sighting, taken_at=now))
        )
        assert isinstance(received, Sighting)
        decider.see(received)
        ORDERS.decode(ORDERS.encode(order_for(decider.level, site, now)))

    taken, counter_ms = median_ms(effort, work, lambda: counter.count(pixels))
    share = taken / counter_ms
    print("\nThe whole way without the counter: health, wire, zones, levels, order")
    print(
        f"{taken:.2f} ms a frame, {100 * share:.0f} % of the counter; {verdict(100 * share, 10)} %"
    )


FLOWS = ((640, 352), (960, 544), (1280, 720), (1920, 1080))
SIZES = ((1, 60, 34), (8, 60, 34), (16, 60, 34), (8, 80, 44), (8, 128, 70))


def strips(count: int) -> list[Zone]:
    """The demonstration's street, cut into so many zones."""
    ends = np.linspace(8.0, 16.0, count + 1)
    return [
        Zone(name=f"z{i}", ground=[(-2.5, a), (2.5, a), (2.5, b), (-2.5, b)])
        for i, (a, b) in enumerate(pairwise(ends))
    ]


def even_heads(columns: int, rows: int, width: int = 640, height: int = 352) -> HeadMap:
    """As many people everywhere."""
    heads = np.full((rows, columns), 0.3, np.float32)
    return HeadMap(heads, heads, width / columns, width, height, 1.645)


def bench_occupancy(counter: Counter, effort: Effort) -> None:
    """Zones and peaks over head maps of the demonstration's street, cut into strips."""
    print("\nOccupancy: zones, map, ms a frame, part of the counter")
    for count, columns, rows in SIZES:
        seen, zones = even_heads(columns, rows), ZoneCounter(strips(count), DEMO_GROUND)
        taken, part = beside(counter, effort, lambda z=zones, h=seen: z.count(h, 1))  # type: ignore[misc]
        aim = f"; {verdict(part, 1)} %" if (count, columns) == (8, 60) else ""
        print(f"{count:>3} zones {columns:>4}x{rows} {taken:>8.3f} ms {part:>6.2f} %{aim}")


def beside(counter: Counter, effort: Effort, *works: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of the first more than of the second, and percent of the counter's.

    In turns with the counter, which leaves the processor's caches as it does in the street.
    """
    pixels = street()
    *taken, counter_ms = median_ms(effort, *works, lambda: counter.count(pixels))
    more = taken[0] - sum(taken[1:])
    return more, 100 * more / counter_ms


def bench_motion(counter: Counter, effort: Effort) -> None:
    """Optical flow in watch, then speeds and pressure in decide; each in turns with the counter."""
    print("\nMotion: picture or zones, map, ms a frame, part of the counter")
    flow = 0.0
    for width, height in FLOWS[: effort.pictures]:
        taken, part = beside(counter, effort, _flow(width, height))
        flow = flow or part
        print(f"flow {width:>5}x{height:<5} {taken:>8.3f} ms {part:>6.2f} %")
    for count, columns, rows in SIZES:
        works = _with_and_without_motion(count, columns, rows)
        taken, part = beside(counter, effort, *works)
        both = f"; with the flow {flow + part:.0f} %, {verdict(flow + part, 25)} %"
        aim = both if (count, columns) == (8, 60) else ""
        print(f"{count:>3} zones {columns:>4}x{rows} {taken:>8.3f} ms {part:>6.2f} %{aim}")


def _flow(width: int, height: int) -> Callable[[], object]:
    """From one moment of the street to the next, and back."""
    scene, heads = Scene(width, height), even_heads(width // 16, height // 16, width, height)
    moments = cycle([scene.at(28.0).pixels, scene.at(28.25).pixels])
    times = count_from(NS_PER_S, NS_PER_S // 4)
    meter = MotionMeter()
    return lambda: meter.see(Frame(next(moments), next(times)), heads)


def _with_and_without_motion(
    zones: int, columns: int, rows: int
) -> tuple[Callable[[], object], Callable[[], object]]:
    """The occupancy of zones."""
    heads = even_heads(columns, rows)
    motion = Motion(heads.count, heads.count, 2.0)
    moving, plain = (ZoneCounter(strips(zones), DEMO_GROUND) for _ in range(2))
    times = count_from(NS_PER_S, NS_PER_S // 4)
    return lambda: moving.count(heads, next(times), motion), lambda: plain.count(heads, 1)


def bench_looks(manifest: Manifest, effort: Effort) -> None:
    """A look at a part of a large picture, beside one at all of it; and what second looks cost."""
    counter = Counter(manifest, manifest.named(PEER_OF), "litert", 1)
    pixels, (width, height) = street(*LARGE), LARGE
    region = Region(np.array([(560.0, 180.0, 1360.0, 900.0)]), np.array([20.0]))
    part = look_at(counter.entry, region, width, height)
    whole_ms, part_ms, second_ms = median_ms(
        effort,
        lambda: counter.count(pixels),
        lambda: counter.count(pixels, part.box),
        lambda: counter.count(pixels, part.box, SECOND_SCALE),
    )
    print(f"\nLooks at a picture of {width}x{height} px: whole, the zones' part, the second look")
    more = 100 * (part_ms / whole_ms - 1)
    print(f"whole {whole_ms:.1f} ms, part {part_ms:.1f} ms, {more:+.0f} %; {verdict(more, 5)} %")
    fps = SceneOptions().fps
    for name, every_s in (("a steady street", EVERY_S), ("a rise", AGAIN_S)):
        share = 100 * second_ms / (part_ms * every_s * fps)
        print(
            f"second look {second_ms:.1f} ms, in {name} every {every_s:g} s at {fps:g} pictures a "
            f"second: {share:.1f} % of the counter; {verdict(share, 15)} %"
        )


def bench_start_and_memory(effort: Effort) -> None:
    """Real processes: from the command to the first text, and what each program holds."""
    print("\nStart of `redroad run` to the first text, and resident memory after a quarter minute")
    with tempfile.TemporaryDirectory() as folder:
        unit = Appliance(Path(folder), SCENE_SITE)
        began = boottime_ns()
        unit.start()
        try:
            wait_for(unit.shown, 30, "the first text")
            start_s = (unit.shown()[0].at - began) / NS_PER_S
            print(f"first text after {start_s:.2f} s; {verdict(start_s, 2)} s")
            unit.wait_until_level()
            time.sleep(effort.settle_s)
            for child in CHILDREN:
                _print_memory(child.name, unit.pid(child.name))
        finally:
            unit.abandon()
    _print_watch_with_pictures(effort)


def _print_memory(name: str, pid: int, remark: str = "") -> None:
    program = psutil.Process(pid)
    forked = sum(child.memory_full_info().pss for child in program.children(recursive=True))
    held = (program.memory_info().rss + forked) / 1e6
    print(f"{name:<8} {held:6.1f} MB; {verdict(held, MEMORY_AIM_MB[name])} MB{remark}")


def _print_watch_with_pictures(effort: Effort) -> None:
    """Without the simulated street's own memory, which no unit in a street has."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(4):
            picture = Image.fromarray(Scene().at(20.0 + number).pixels)
            picture.save(folder / f"picture-{number}.jpg")
        site = SCENE_SITE.replace('kind = "scene"', f'kind = "pictures"\nfolder = "{folder}"')
        unit = Appliance(folder, site)
        unit.start()
        try:
            unit.wait_until_level()
            time.sleep(effort.settle_s)
            _print_memory(
                "watch", unit.pid("watch"), " (pictures in place of the simulated street)"
            )
        finally:
            unit.abandon()


def machine() -> str:
    listed = subprocess.run(["lscpu", "-J"], capture_output=True, text=True, check=False).stdout
    fields = json.loads(listed)["lscpu"] if listed else []
    names = [field["data"] for field in fields if field["field"] == "Model name:"]
    processor = names[0] if names else platform.processor()
    return f"{processor}, {psutil.cpu_count()} cores, Python {platform.python_version()}"


def rows(effort: Effort) -> dict[str, Callable[[], object]]:
    """All that is measured, by name."""
    manifest = Manifest(shipped_manifest())
    counter = Counter(manifest, manifest.named(PEER_OF), "litert", 1)
    return {
        "counter": lambda: bench_counter(manifest, effort),
        "way": lambda: bench_way(counter, effort),
        "occupancy": lambda: bench_occupancy(counter, effort),
        "looks": lambda: bench_looks(manifest, effort),
        "motion": lambda: bench_motion(counter, effort),
        "frozen": lambda: frozen_rates.cost(counter),
        "start": lambda: bench_start_and_memory(effort),
        **{
            f"show {panel}": lambda panel=panel: bench_show_idle(panel, effort.idle_s)  # type: ignore[misc]
            for panel in PANELS
        },
    }


def measure(chosen: dict[str, Callable[[], object]]) -> list[str]:
    """Measure one row after the other; the names of those that could not be."""
    failed = list[str]()
    for name, row in chosen.items():
        try:
            row()
        except Exception as error:  # noqa: BLE001  told in its place, and the next row follows
            where = traceback.extract_tb(error.__traceback__)[-1]
            why = f"{type(error).__name__} {error}".strip()
            print(f"{name}: not measured: {why} ({Path(where.filename).name}:{where.lineno})")
            failed.append(name)
    return failed


def main(arguments: Sequence[str] | None = None) -> None:
    """Print everything; exit code 1 where a row could not be measured."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="once each: figures mean nothing then")
    parser.add_argument("--row", action="append", metavar="NAME", help="this one only; repeatable")
    options = parser.parse_args(arguments)
    known = rows(SHORT if options.short else Effort())
    if unknown := set(options.row or ()) - set(known):
        parser.error(f"--row {', '.join(unknown)} is unknown; one of {', '.join(known)}")
    print(machine(), flush=True)
    failed = measure({name: known[name] for name in options.row or known})
    if failed:
        print(f"\nnot measured: {', '.join(failed)}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
