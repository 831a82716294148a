"""`python -m tests.bench.frozen_rates`: is a picture that stands told from a scene that is quiet?

Prints tables, as Markdown, of frozen pictures with and without overlays, of quiet streets, of real
pictures, and what the judgement costs. Parts by name: frozen, quiet, real, cost. MINUTES is how
long frozen may take (25): its cases come in an order that mixes them. The real pictures are found
by REDROAD_DATA. Not a test.
"""

import math
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count
from statistics import median

import numpy as np

from edge.common.units import nanoseconds
from edge.watch.counter import Counter
from edge.watch.folder import picture_time
from edge.watch.frame import Frame, Pixels
from edge.watch.health import STILL_AFTER_S, HealthJudge
from edge.watch.manifest import Manifest, shipped_manifest
from edge.watch.pictures import read_picture
from edge.watch.scene_life import SceneLife
from edge.watch.view import Samples
from tests.bench import degrade
from tests.bench.encoded import CODECS, encoded
from tests.watch import views
from tests.watch.overlays import Overlay, every
from tests.watch.quiet import PARTS, Quiet, backdrop, noisy, quiet, quiet_samples

EVERY_S, LONG_S, PROMISED_S = 2.0, 340.0, 330.0
NIGHT_H, NIGHTS_A_WEEK = 8.0, 7
SHORTER_S = (30.0, 60.0, 120.0)
TIMES_S = (*SHORTER_S, STILL_AFTER_S)
NOISES = {"no encoder": 0.0, "no encoder, noise of 2": 2.0, "no encoder, noise of 4": 4.0}
WAYS = [*CODECS, *NOISES]


def bases() -> dict[str, Pixels]:
    """Pictures that freeze; of real ones where they are there."""
    street = {night: np.rint(backdrop(night=night)).astype(np.uint8) for night in (False, True)}
    found = {
        "simulated, empty, day": street[False],
        "simulated, empty, night": street[True],
        "simulated, crowd, day": views.scene(1)[0],
        "simulated, crowd, 1/16 of the light": degrade.night(views.scene(1)[0], 1 / 16),
    }
    if views.STATION.exists():
        for name in list(views.STRETCHES)[1::4]:
            picture = views.stretch(name, at_most=1)[0]
            found[f"{name[:9]}, real"] = picture[: len(picture) // 2 * 2]
    return found


def sent(base: Pixels, overlays: tuple[Overlay, ...], way: str) -> Iterator[Pixels]:
    """A picture that stands with what is drawn over it, by a codec or with noise."""
    fresh = noisy(base, NOISES[way]) if NOISES.get(way) else lambda: base

    def drawn() -> Iterator[Pixels]:
        for at_s in np.arange(0.0, LONG_S, EVERY_S):
            pixels = fresh()
            for overlay in overlays:
                pixels = overlay.on(pixels, float(at_s))
            yield pixels

    return encoded(list(drawn()), way) if way in CODECS else drawn()


def told_after(pictures: Iterable[Pixels]) -> float | None:
    """Seconds until they are called frozen, to the end; None when they are not."""
    judge, since = HealthJudge(), None
    for at_s, pixels in zip(count(EVERY_S, EVERY_S), pictures, strict=False):
        frozen = judge.judge(Frame(pixels, nanoseconds(at_s))).frozen
        since = (since or at_s) if frozen else None
    return since


def frozen() -> None:
    """Each overlay, and none, by ways and pictures in turns, so that each meets each."""
    found: dict[str, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    pictures = bases()
    cases = list(enumerate([*every(), *[()] * len(WAYS)]))
    random.Random(0).shuffle(cases)
    until = time.monotonic() + 60 * float(os.environ.get("MINUTES", "25"))
    for number, overlays in cases:
        if time.monotonic() > until:
            break
        way = WAYS[(number * 3) % len(WAYS)]
        base = list(pictures)[(number * 5 + number // len(pictures)) % len(pictures)]
        told = told_after(sent(pictures[base], overlays, way))
        name = overlays[0].name if overlays else "no overlay"
        print(f"  {name} | {way} | {base}: {told}", file=sys.stderr, flush=True)
        place = name.rpartition(", ")[2] if overlays[:1] and "," in name else name
        groups = {
            "overlay": name.partition(",")[0],
            "place": place,
            "sent by": way,
            "picture": base,
        }
        for kind, group in groups.items():
            found[kind][group].append(told)
    for kind, groups_found in found.items():
        print(
            f"\n| frozen, by {kind} | pictures | not found in {PROMISED_S:g} s | seconds to tell |"
        )
        print("| --- | --- | --- | --- |")
        for group, told_s in groups_found.items():
            late = [each for each in told_s if each is None or each > PROMISED_S]
            known = [each for each in told_s if each is not None]
            took = f"{min(known):.0f} to {max(known):.0f}" if known else "–"
            print(f"| {group} | {len(told_s)} | {len(late)} | {took} |", flush=True)


@dataclass
class Alarms:
    """Of a quiet scene: looks, and by how long there had been no proof of life, how many of them
    and how often anew.
    """

    looks: int = 0
    without: dict[float, int] = field(default_factory=lambda: dict.fromkeys(TIMES_S, 0))
    times: dict[float, int] = field(default_factory=lambda: dict.fromkeys(TIMES_S, 0))

    def a_week(self, every_s: float) -> str:
        """How often frozen in a week of nights, by what was seen; where none was, by the line
        through the logarithms of how often shorter times had no proof of life.
        """
        nights = NIGHTS_A_WEEK * NIGHT_H * 3600 / every_s / self.looks
        if self.times[STILL_AFTER_S]:
            return f"{nights * self.times[STILL_AFTER_S]:.0f}"
        known = [(s, math.log(self.times[s])) for s in SHORTER_S if self.times[s]]
        if len(known) < 2:
            return "none seen"
        slope, start = np.polyfit([s for s, _ in known], [often for _, often in known], 1)
        return f"{nights * math.exp(start + min(slope, 0.0) * STILL_AFTER_S):.2g}, by the line"


def alarms(looks: Iterable[Samples], every_s: float) -> Alarms:
    """What is said of a scene, after the time that it takes at least."""
    life, found, was = SceneLife(), Alarms(), dict.fromkeys(TIMES_S, False)
    for at_s, grey in zip(count(every_s, every_s), looks, strict=False):
        at = nanoseconds(at_s)
        life.see(grey, at)
        if at_s <= STILL_AFTER_S:
            continue
        found.looks += 1
        for seconds in TIMES_S:
            still = life.still_for(seconds, at)
            found.without[seconds] += still
            found.times[seconds] += still and not was[seconds]
            was[seconds] = still
    return found


def quiet_nights() -> None:
    """Nights of several winds, and shorter ones with less that moves; a look each second."""
    heads = (
        "a street at night where nobody is, a look a second", "drawn", "called frozen",
        "of the time", "no proof of life in 30, 60, 120 s: of the time", "how often",
        "frozen in a week of nights",
    )  # fmt: skip
    print(f"\n| {' | '.join(heads)} |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for parts, calm, hours in (
        (PARTS, 1.0, 8.0), (PARTS, 0.5, 8.0), (PARTS, 0.35, 2.0), (PARTS, 0.2, 1.0),
        (("leaves",), 1.0, 2.0), (("flag",), 1.0, 0.2), (("sign",), 1.0, 0.2),
    ):  # fmt: skip
        found = alarms(quiet_samples(1.0, hours * 3600, Quiet(parts, calm=calm)), 1.0)
        shares = ", ".join(f"{100 * found.without[s] / found.looks:.2g}" for s in SHORTER_S)
        often = ", ".join(str(found.times[s]) for s in SHORTER_S)
        print(f"| {', '.join(parts)}; wind x {calm:g} | {hours:g} h "
              f"| {found.times[STILL_AFTER_S]} times "
              f"| {100 * found.without[STILL_AFTER_S] / found.looks:.0f} % | {shares} % | {often} "
              f"| {found.a_week(1.0)} |", flush=True)  # fmt: skip
    print("\n| the same for 340 s, by codec | day | night |\n| --- | --- | --- |")
    for codec in CODECS:
        told = [_by_codec(codec, night=night) for night in (False, True)]
        print(f"| {codec} | {told[0]} | {told[1]} |", flush=True)


def _by_codec(codec: str, *, night: bool) -> str:
    judge, frozen_s = HealthJudge(), 0
    pictures = encoded(list(quiet(1.0, LONG_S, Quiet(night=night))), codec)
    for at_s, pixels in enumerate(pictures, 1):
        frozen_s += judge.judge(Frame(pixels, nanoseconds(float(at_s)))).frozen
    return f"frozen for {frozen_s} s" if frozen_s else "never frozen"


def real() -> None:
    """Real stretches of one view in the order of time, and the clip again and again."""
    print("\n| real pictures of one unmoved camera | pictures | over | called frozen |")
    print("| --- | --- | --- | --- |")
    for name, number in views.STRETCHES.items():
        paths = sorted(views.STATION.iterdir())
        first = paths.index(views.STATION / f"{name}.jpg")
        chosen = paths[first : first + number]
        start = picture_time(chosen[0])
        assert isinstance(start, datetime)
        judge, wrong, last_s = HealthJudge(), 0, 0.0
        for path in chosen:
            at = picture_time(path)
            assert at is not None
            last_s = (at - start).total_seconds()
            wrong += judge.judge(Frame(read_picture(path), nanoseconds(last_s + 1))).frozen
        print(f"| {name} | {number} | {last_s / 60:.0f} min | {wrong} |", flush=True)
    clip, judge, wrong = views.clip(), HealthJudge(), 0
    for number in range(1400):
        frame = Frame(clip[number % len(clip)], nanoseconds(0.5 * (number + 1)))
        wrong += judge.judge(frame).frozen
    print(f"| clip of people who pass, again and again | 1400 | 12 min | {wrong} |")


def cost(counter: Counter | None = None) -> None:
    """What the judgements of overlays and of blank parts add to a picture, against the counter.

    In a quiet street with a privacy mask, their dearest case. All take turns with the counter, on
    one thread, so that what else the machine does hits all of them.
    """
    pixels = views.scene(1)[0]
    masked = pixels.copy()
    masked[: len(masked) // 3] = 0
    manifest = Manifest(shipped_manifest())
    counter = counter or Counter(manifest, manifest.named("street-640x352"), "litert", 1)
    plain, blank = Frame(pixels, 1), Frame(masked, 1)
    life, judge = SceneLife(), HealthJudge(live=False)
    taken: dict[str, list[float]] = defaultdict(list)
    # 80 s are drawn and shown again and again.
    drawn = list(quiet_samples(0.25, 80.0))
    for number in range(4 * 4 * round(STILL_AFTER_S / 4)):
        at = nanoseconds(0.25 * (number + 1))
        taken["life"].append(_seconds(partial(_look, life, drawn[number % 320], at)))
        if number % 8 == 0:
            taken["masked"].append(_seconds(lambda: judge.judge(blank)))
            taken["plain"].append(_seconds(lambda: judge.judge(plain)))
            taken["counter"].append(_seconds(lambda: counter.count(pixels)))
    # One in 40 pictures (4 a second) has the search for what was seen before.
    often = sorted(taken["life"])[: -len(taken["life"]) // 40]
    seldom = sorted(taken["life"])[-len(taken["life"]) // 40 :]
    added = [
        ("life of the scene", median(often)),
        ("seen before? (a 40th)", median(seldom) / 40),
        ("blank parts", median(taken["masked"]) - median(taken["plain"])),
    ]
    print("\nWhat the judgements of overlays and blank parts add, and part of the counter")
    whole = median(taken["counter"])
    for name, seconds in added:
        print(f"{name:<24} {1000 * seconds:>7.3f} ms {100 * seconds / whole:>6.2f} %")
    share = 100 * sum(seconds for _, seconds in added) / whole
    print(f"together {share:.1f} %; aim 3 %: {'ok' if share <= 3 else 'over'}")


def _look(life: SceneLife, grey: Samples, at: int) -> None:
    life.see(grey, at)
    life.still_for(STILL_AFTER_S, at)


def _seconds(work: Callable[[], object]) -> float:
    """Of the processor: what else the machine does costs nothing."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Print the parts that are asked for, or everything."""
    parts = {"frozen": frozen, "quiet": quiet_nights, "real": real, "cost": cost}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
