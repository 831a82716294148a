"""`make bench`: speed, start and memory, printed beside their aims. Nothing here is a test.

Times are medians, taken in turns with the peer, so that what else the machine does hits both.
"""

import json
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
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
from edge.site.schema import DEMO_GROUND, Zone
from edge.street.scene import Scene
from edge.watch.counter import Counter
from edge.watch.frame import Frame
from edge.watch.health import HealthJudge
from edge.watch.manifest import Manifest, ModelEntry, shipped_manifest
from edge.watch.motion import MotionMeter
from edge.watch.runtime import make_interpreter
from hil.testkit.appliance import SITE, Appliance
from hil.testkit.mosquitto import wait_for
from tests.bench import frozen_rates
from tests.bench.show import bench_show_idle

ROUNDS = 40
PEER = shipped_manifest().parent / "peers" / "mobilenetv2-0.5-640x352.tflite"
PEER_OF = "street-640x352"
SETTLE_S = 15
MEMORY_AIM_MB = {"watch": 150, "decide": 80, "show": 80, "report": 80}


def median_ms(*works: Callable[[], object]) -> list[float]:
    """The median milliseconds of each, run in turns."""
    times: list[list[float]] = [[] for _ in works]
    for round_number in range(ROUNDS + 5):
        for work, taken in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            if round_number >= 5:
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


def bench_counter(manifest: Manifest) -> float:
    """Every size, one thread and two; the milliseconds of the peer's twin on one."""
    print("\nCounter, int8, LiteRT: letterbox, network and finish")
    print(
        "model               threads       ms   GMAC/s   against MobileNetV2-0.5 trunk, same input"
    )
    reference = 0.0
    for entry in manifest.entries:
        for threads in (1, 2):
            counter = Counter(manifest, entry, "litert", threads)
            pixels = Scene(*entry.input).at(28.0).pixels
            works: list[Callable[[], object]] = [lambda c=counter, p=pixels: c.count(p)]  # type: ignore[misc]
            if entry.name == PEER_OF:
                works.append(peer(threads))
            taken = median_ms(*works)
            ratio = f"{taken[0] / taken[1]:.2f} times its {taken[1]:.1f} ms" if taken[1:] else ""
            _print_counter(entry, threads, taken[0], ratio)
            if entry.name == PEER_OF and threads == 1:
                reference = taken[0]
    return reference


def _print_counter(entry: ModelEntry, threads: int, taken_ms: float, ratio: str) -> None:
    rate = entry.gmac / (taken_ms / 1000)
    print(f"{entry.name:<21} {threads:>5} {taken_ms:>8.1f} {rate:>8.1f}   {ratio}")


def bench_way(manifest: Manifest, counter_ms: float) -> None:
    """All that happens to a frame beside the counter."""
    site = Site()
    pixels = Scene().at(28.0).pixels
    heads = Counter(manifest, manifest.named(PEER_OF), "litert", 1).count(pixels)
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

    (taken,) = median_ms(work)
    share = taken / counter_ms
    print("\nThe whole way without the counter: health, wire, zones, levels, order")
    print(
        f"{taken:.2f} ms a frame, {100 * share:.0f} % of the counter; {verdict(100 * share, 10)} %"
    )


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


def bench_occupancy(counter: Counter) -> None:
    """Zones and peaks over head maps of the demonstration's street, cut into strips."""
    print("\nOccupancy: zones, map, ms a frame, part of the counter")
    for count, columns, rows in SIZES:
        seen, zones = even_heads(columns, rows), ZoneCounter(strips(count), DEMO_GROUND)
        taken, part = beside(counter, lambda z=zones, h=seen: z.count(h, 1))  # type: ignore[misc]
        aim = f"; {verdict(part, 1)} %" if (count, columns) == (8, 60) else ""
        print(f"{count:>3} zones {columns:>4}x{rows} {taken:>8.3f} ms {part:>6.2f} %{aim}")


def beside(counter: Counter, *works: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of the first more than of the second, and percent of the counter's.

    In turns with the counter, which leaves the processor's caches as it does in the street.
    """
    street = Scene().at(28.0).pixels
    *taken, counter_ms = median_ms(*works, lambda: counter.count(street))
    more = taken[0] - sum(taken[1:])
    return more, 100 * more / counter_ms


def bench_motion(counter: Counter) -> None:
    """Optical flow in watch, then speeds and pressure in decide; each in turns with the counter."""
    print("\nMotion: picture or zones, map, ms a frame, part of the counter")
    flow = 0.0
    for width, height in ((640, 352), (960, 544), (1280, 720), (1920, 1080)):
        taken, part = beside(counter, _flow(width, height))
        flow = flow or part
        print(f"flow {width:>5}x{height:<5} {taken:>8.3f} ms {part:>6.2f} %")
    for count, columns, rows in SIZES:
        taken, part = beside(counter, *_with_and_without_motion(count, columns, rows))
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


def bench_start_and_memory() -> None:
    """Real processes: from the command to the first text, and what each program holds."""
    print("\nStart of `redroad run` to the first text, and resident memory after a quarter minute")
    with tempfile.TemporaryDirectory() as folder:
        unit = Appliance(Path(folder), SITE)
        began = boottime_ns()
        unit.start()
        try:
            wait_for(unit.shown, 30, "the first text")
            start_s = (unit.shown()[0].at - began) / NS_PER_S
            print(f"first text after {start_s:.2f} s; {verdict(start_s, 2)} s")
            unit.wait_until_level()
            time.sleep(SETTLE_S)
            for child in CHILDREN:
                _print_memory(child.name, unit.pid(child.name))
        finally:
            unit.abandon()
    _print_watch_with_pictures()


def _print_memory(name: str, pid: int, remark: str = "") -> None:
    program = psutil.Process(pid)
    forked = sum(child.memory_full_info().pss for child in program.children(recursive=True))
    held = (program.memory_info().rss + forked) / 1e6
    print(f"{name:<8} {held:6.1f} MB; {verdict(held, MEMORY_AIM_MB[name])} MB{remark}")


def _print_watch_with_pictures() -> None:
    """Without the simulated street's own memory, which no unit in a street has."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(4):
            picture = Image.fromarray(Scene().at(20.0 + number).pixels)
            picture.save(folder / f"picture-{number}.jpg")
        site = SITE.replace('kind = "scene"', f'kind = "pictures"\nfolder = "{folder}"')
        unit = Appliance(folder, site)
        unit.start()
        try:
            unit.wait_until_level()
            time.sleep(SETTLE_S)
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


def main() -> None:
    """Print everything."""
    print(machine())
    manifest = Manifest(shipped_manifest())
    counter_ms = bench_counter(manifest)
    bench_way(manifest, counter_ms)
    counter = Counter(manifest, manifest.named(PEER_OF), "litert", 1)
    bench_occupancy(counter)
    bench_motion(counter)
    frozen_rates.cost(counter)
    bench_start_and_memory()
    bench_show_idle()


if __name__ == "__main__":
    main()
