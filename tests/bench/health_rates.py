"""`python -m tests.bench.health_rates`: how often picture health is right, printed. Not a test.

Frozen pictures and quiet streets have a table of their own: `python -m tests.bench.frozen_rates`.
Needs the pictures and the clip beside the checkout (or $REDROAD_DATA); takes some minutes.
"""

import collections
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise

import numpy as np

from edge.commands.count import PictureCounter
from edge.common.units import nanoseconds
from edge.watch.counter import Counter
from edge.watch.frame import Frame, Pixels
from edge.watch.health import HealthJudge
from edge.watch.manifest import Manifest, shipped_manifest
from edge.watch.pictures import read_picture
from edge.watch.thumbnail import sampled
from edge.watch.view import CELL, Samples, View, pooled
from edge.watch.view_monitor import PERSIST_S, ViewMonitor
from hil.testkit.data import HEADS
from tests.bench import degrade
from tests.bench.degrade import Turn, turned
from tests.bench.encoded import CODECS, RATE, encoded
from tests.watch import views
from tests.watch.views import Change

Sources = dict[str, Callable[[], list[Pixels]]]
SETS = ("street", "station", "dense", "rendered")
PICTURES, FRAMES, FEW, SCENE_S = 6, 3, 15, 40
TIMES = 300  # that one picture is encoded
# What a camera of 60 degrees sees moves by this share of the width for each degree of turning.
PER_DEGREE = 1 / 60

STRENGTHS: tuple[tuple[str, Callable[[Pixels, float], Pixels], tuple[float, ...]], ...] = (
    ("light x", degrade.night, (1 / 4, 1 / 16, 1 / 64, 1 / 256)),
    ("out of focus, radius/side", degrade.defocused, (0.0025, 0.005, 0.01, 0.02)),
    ("shaken, length/side", degrade.shaken, (0.01, 0.02, 0.04)),
    ("covered, part", degrade.covered, (0.25, 0.4, 0.6, 0.8, 1.0)),
    ("rain or dirt, part", degrade.rained_on, (0.2, 0.4, 0.7)),
    ("dazzled, reach/side", degrade.dazzled, (0.1, 0.2, 0.4, 0.8)),
    ("not decoded, part", degrade.half_decoded, (0.25, 0.5, 0.75)),
    ("bus before, part", degrade.hidden, (0.3, 0.5, 0.7)),
)
DEGRADED: dict[str, Change] = {
    "as it is": lambda pixels: pixels,
    **{
        f"{text} {strength:.3g}": lambda pixels, change=change, strength=strength: change(  # type: ignore[misc]
            pixels, strength
        )
        for text, change, strengths in STRENGTHS
        for strength in strengths
    },
}
TURNS: dict[str, Turn] = {
    "turned by 0 degrees": Turn(),
    **{f"turned by {angle} degrees": Turn(right=angle * PER_DEGREE) for angle in (1, 2, 3, 5, 10)},
    **{f"nodded by {angle} degrees": Turn(down=angle * PER_DEGREE) for angle in (2, 5)},
    **{f"rolled by {angle} degrees": Turn(roll=angle) for angle in (2, 5, 10)},
    **{f"zoomed x {zoom}": Turn(zoom=zoom) for zoom in (1.1, 1.2)},
}


TURNED: dict[str, Change] = {text: partial(turned, turn=turn) for text, turn in TURNS.items()}


def faults_of(frames: Iterable[Pixels], view: View | None = None) -> list[tuple[str, ...]]:
    """The faults of each, a second apart."""
    judge = HealthJudge(live=False, guard=ViewMonitor(view) if view else None)
    timed = enumerate(frames, 1)
    return [judge.judge(Frame(pixels, nanoseconds(at))).faults for at, pixels in timed]


def shares(found: list[tuple[str, ...]]) -> str:
    """Percent with any fault, then of each."""
    tally = collections.Counter(fault for faults in found for fault in faults)
    any_fault = sum(bool(faults) for faults in found)
    each = ", ".join(f"{name} {100 * times / len(found):.0f}" for name, times in tally.items())
    return f"{100 * any_fault / len(found):5.0f} % {each}"


def single_pictures() -> None:
    """By itself, and what the degradation does to the count."""
    paths = [path for name in SETS for path in views.training(name, PICTURES)]
    pictures = [read_picture(path) for path in paths]
    counter = PictureCounter(threads=1)
    people = [counter.heads(pixels).total().people for pixels in pictures]
    print(f"\n{len(pictures)} pictures of {', '.join(SETS)} (train), each by itself")
    print(f"{'':34}{'count off by':>12}  {'found':>5}")
    for text, change in DEGRADED.items():
        found, off = [], 0.0
        for pixels, before in zip(pictures, people, strict=True):
            worse = change(pixels)
            found.append(HealthJudge(live=False).judge(Frame(worse, 1)).faults)
            off += abs(counter.heads(worse).total().people - before)
        print(f"{text:34}{100 * off / sum(people):10.0f} %  {shares(found)}", flush=True)


def with_view(sources: Sources, changes: dict[str, Change]) -> None:
    """Against the view learnt from the first pictures; the time to believe it is left out."""
    wait = 2 * int(PERSIST_S)
    unchanged = next(iter(changes.values()))
    learnt = {}
    for name, pictures in ((name, source()) for name, source in sources.items()):
        first, rest = pictures[: views.LEARNT_FROM], pictures[views.LEARNT_FROM :]
        learnt[name] = views.view_of([unchanged(pixels) for pixels in first]), spread(rest, FRAMES)
    print(
        f"\n{len(learnt)} unmoved cameras with a reference view, found after {wait} s", flush=True
    )
    for text, change in changes.items():
        found = []
        for view, pictures in learnt.values():
            shown = [change(pixels) for pixels in pictures] * (1 + wait // FRAMES)
            found += faults_of(shown, view)[-FRAMES:]
        print(f"{text:34}  {shares(found)}", flush=True)


def spread(pictures: list[Pixels], number: int) -> list[Pixels]:
    """So many of them, evenly; again from the start when there are fewer."""
    return [pictures[index * len(pictures) // number] for index in range(number)]


def other_views(sources: Sources) -> None:
    """One camera's view, another one's pictures."""
    fixed = {name: source() for name, source in sources.items()}
    wait = 2 * int(PERSIST_S)
    found = []
    for name, pictures in fixed.items():
        view = views.view_of(pictures[: views.LEARNT_FROM])
        for other, shown in fixed.items():
            if name != other and not {name, other} <= views.ALIKE:
                found.append(faults_of(spread(shown, wait + 1), view)[-1])
    print(f"\nSwitched to another camera, {len(found)} pairs: {shares(found)}")


def by_themselves() -> None:
    """Every picture as it is."""
    print("\nFalse alarms, each picture by itself", flush=True)
    for name in SETS:
        paths = sorted((HEADS / name).iterdir())
        report(name, [faults_of([read_picture(path)])[0] for path in paths])


def in_order(sources: Sources) -> None:
    """Every picture of the unmoved cameras, as it is, in the order of time."""
    first = views.LEARNT_FROM
    print(f"\nFalse alarms in the order of time, against the view of the first {first}", flush=True)
    whole = []
    for name, source in sources.items():
        pictures = source()
        found = faults_of(pictures[first:], views.view_of(pictures[:first]))
        report(name, found)
        whole += found
    report("all", whole)


def at_a_start(sources: Sources) -> None:
    """The first look after a start, at each picture of one's own view, and at some of others."""
    shown = {name: source() for name, source in sources.items()}
    kept = {name: views.view_of(pictures[: views.LEARNT_FROM]) for name, pictures in shown.items()}
    own, other = [], []
    for name, view in kept.items():
        own += [first_look(view, pixels) for pixels in shown[name][views.LEARNT_FROM :]]
        others = [each for each in shown if each != name and not {each, name} <= views.ALIKE]
        other += [first_look(view, pixels) for each in others for pixels in shown[each][::10]]
    print(f"\nThe first look after a start: own view not known again in {sum(own)} of {len(own)},")
    print(f"another taken for one's own in {len(other) - sum(other)} of {len(other)}")


def first_look(view: View, pixels: Pixels) -> bool:
    """Whether the camera is said to be moved."""
    return ViewMonitor(view).look(sampled(pixels), 0).moved


def report(name: str, found: list[tuple[str, ...]]) -> None:
    """How many of how many."""
    tally = collections.Counter(fault for faults in found for fault in faults)
    print(f"{name:28}{sum(map(bool, found)):5} of {len(found):5}  {dict(tally) or ''}", flush=True)


def encoded_anew(sources: Sources) -> None:
    """How far apart two pictures are: of a camera that has frozen, and of one that has not."""
    paths = [path for name in SETS for path in views.training(name, 3)]
    made = [views.scene(1, night=by_night)[0] for by_night in (False, True)]
    pictures = [even(read_picture(path)) for path in paths] + made
    print(f"\nOne picture encoded {TIMES} times, the cell that differs most (of {len(pictures)})")
    for codec in CODECS:
        for light in (1.0, 1 / 4, 1 / 16):
            found = []
            for pixels in pictures:
                dim = pixels if light == 1 else degrade.night(pixels, light)
                cells = [cells_of(each) for each in encoded([dim] * TIMES, codec)][RATE:]
                found.append(max(unlike(one, other) for one in cells[::RATE] for other in cells))
            print(f"{codec:34} light x {light:<8.3g} at most {max(found):.2f}", flush=True)
    print("\nPictures that follow each other, encoded by x264 at 300 kbit/s")
    for name, source in sources.items():
        cells = [cells_of(each) for each in encoded([even(pixels) for pixels in source()])]
        apart = [unlike(one, other) for one, other in pairwise(cells)]
        print(f"{name:34} at least {min(apart):.2f}, median {statistics.median(apart):.2f}")


def unlike(before: Samples, now: Samples) -> float:
    """The cell that differs most, as a multiple of the cells' standard deviation."""
    return float(np.abs(now - before).max() / max(float(now.std()), 1e-6))


def cells_of(pixels: Pixels) -> Samples:
    """As the judge compares them."""
    return pooled(sampled(pixels), CELL)


def even(pixels: Pixels) -> Pixels:
    """As codecs want it."""
    return pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2]


def speed() -> None:
    """Against the counter at four frames a second, both on one thread, in turns."""
    pixels = views.scene(1)[0]
    manifest = Manifest(shipped_manifest())
    counter = Counter(manifest, manifest.named("street-640x352"), "litert", 1)
    judge = HealthJudge(guard=ViewMonitor(views.view_of([pixels])))
    noisy = [degrade.defocused(pixels, 1e-4 * (n + 1)) for n in range(2)]
    judging: list[float] = []
    counting: list[float] = []
    for second in range(60):
        began = time.perf_counter()
        for frame in range(4):
            judge.judge(Frame(noisy[frame % 2], nanoseconds(second + frame / 4)))
        middle = time.perf_counter()
        for _ in range(4):
            counter.count(pixels)
        judging.append(middle - began)
        counting.append(time.perf_counter() - middle)
    ratio = statistics.median(judging) / statistics.median(counting)
    print(f"\nThe judge takes {100 * ratio:.1f} % of the counter's time (aim: 5 %)")


def main() -> None:
    """Print the parts that are asked for, or everything."""
    stations: Sources = {name: partial(views.stretch, name) for name in views.STRETCHES}
    fixed: Sources = stations | {
        "clip": views.clip,
        "simulated day": partial(views.scene, SCENE_S),
        "simulated night": partial(views.scene, SCENE_S, night=True),
    }
    few = list(views.STRETCHES)[::2]
    some: Sources = {
        **{name: partial(views.stretch, name, at_most=FEW) for name in few},
        "simulated day": partial(views.scene, FEW),
        "simulated night": partial(views.scene, FEW, night=True),
    }
    parts: dict[str, Callable[[], None]] = {
        "speed": speed,
        "encoded": partial(encoded_anew, fixed),
        "single": single_pictures,
        "pictures": by_themselves,
        "order": partial(in_order, fixed),
        "start": partial(at_a_start, stations),
        "others": partial(other_views, stations),
        "view": partial(with_view, some, DEGRADED),
        "turns": partial(with_view, some, TURNED),
    }
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
