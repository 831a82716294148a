"""The program `watch`: frames in, Sightings out. No frame leaves this program."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from edge.common.clock import boottime_ns
from edge.common.errors import ViewError
from edge.common.program import Paths, Program, running
from edge.common.sighting import HIDDEN_MOST, SIGHTINGS, UNLIKE_MOST, HeadMap, Sighting
from edge.site import Site
from edge.site.ground.region import region_of
from edge.site.schema import Camera, PicturesOptions
from edge.watch.aspect import doubt_of
from edge.watch.baseline import Baseline
from edge.watch.baseline_store import BaselineStore
from edge.watch.cameras.choose import open_camera, remedy_if_slow
from edge.watch.cameras.learnt import Learnt
from edge.watch.cameras.reconnecting import ReconnectingCamera
from edge.watch.counter import Counter
from edge.watch.frame import Frame, Pixels
from edge.watch.health import HealthJudge
from edge.watch.look import Look, choose_look
from edge.watch.manifest import Manifest, ModelEntry, shipped_manifest
from edge.watch.motion import MotionMeter
from edge.watch.rate import Rate
from edge.watch.second import SECOND_SCALE, SecondLooks
from edge.watch.view_monitor import ViewMonitor
from edge.watch.view_store import ViewStore

Known = TypeVar("Known")

# What a Pi 4 counts in about 0.1 s.
LIMIT_GMAC = 1.0
# At that rate a Pi 4 is busy half of the time.
GMAC_PER_S = 5.0


def run(site: Site, paths: Paths) -> None:
    """Watch until asked to stop."""
    with running("watch", paths) as program:
        keeper = ViewStore(paths.state, site.camera)
        guard = ViewMonitor(_loaded(keeper.load, "view", program))
        baselines = BaselineStore(paths.state)
        baseline = Baseline(guard, _loaded(baselines.load, "baseline", program))
        counting = Counting(site, guard=guard)
        counting.prepare(site.camera)
        decide = program.channel_to("decide", SIGHTINGS)
        learnt = Learnt()
        camera = ReconnectingCamera(
            lambda: open_camera(site, learnt), program, remedy_if_slow(site)
        )
        frame = camera.read()  # opened, as far as it can be, before the watchdog counts
        program.ready()
        rate = Rate(boottime_ns())
        while not program.stopping:
            program.receive(0)
            if frame is not None:
                sighting = counting.sighting(frame)
                decide.send(sighting)
                program.facts.update(model=counting.model, view=guard.status)
                _report_size(frame, site.camera, program)
                _report(program, "losses", learnt.doubt)
                if counting.look is not None:
                    program.facts["looks_at"] = str(counting.look)
                _keep(lambda: keeper.follow(guard), "view", program)
                baseline.see(sighting.heads, frame.taken_at)
                _keep(lambda: baselines.follow(baseline), "baseline", program)
                _report(program, "counted_where_nobody_is", _heads_of_nobody(baseline))
                rate.add(boottime_ns())
            _report_rate(rate, program)
            program.alive()
            frame = camera.read()
        camera.close()


def _report_size(frame: Frame, camera: Camera, program: Program) -> None:
    """Log the pictures' size, and whether it indicates pixels that are not square."""
    height, width, _ = frame.pixels.shape
    program.facts["picture_px"] = f"{width}x{height}"
    _report(program, "pixels", doubt_of(camera, width, height))


def _report(program: Program, name: str, fact: str | float | None) -> None:
    """Report a fact for as long as there is one."""
    if fact is None:
        program.facts.pop(name, None)
    else:
        program.facts[name] = fact


def _report_rate(rate: Rate, program: Program) -> None:
    """Report the rate once it is known; a slow processor shows here first."""
    if (pictures := rate.per_second(boottime_ns())) is not None:
        program.facts["pictures_per_s"] = pictures


def _loaded(load: Callable[[], Known | None], part: str, program: Program) -> Known | None:
    """What was kept of before; where it cannot be read that is reported, and it is learnt anew."""
    try:
        return load()
    except ViewError as error:
        program.fault(part, str(error))
        return None


def _keep(follow: Callable[[], bool], part: str, program: Program) -> None:
    """The sign goes on with what cannot be kept; it is then learnt anew at each start."""
    try:
        if follow():
            program.recovered(part)
    except ViewError as error:
        program.fault(part, str(error))


def _heads_of_nobody(baseline: Baseline) -> float | None:
    """How many are counted where nobody is; None before that is known."""
    nobody = baseline.nobody
    return None if nobody is None else round(nobody.total().people, 2)


def manifest_of(site: Site) -> Manifest:
    """Return the site's own list of models, or the shipped one."""
    own = site.counter.manifest
    return Manifest(site.path(own) if own else shipped_manifest())


def look_of(site: Site, size: tuple[int, int], limit_gmac: float = LIMIT_GMAC) -> Look:
    """Return how the site's pictures of `size` (width, height) are looked at."""
    options, region, budget_gmac = site.counter, None, 0.0
    if options.look_at != "picture":
        region = region_of(site.zone, site.ground, *size)
    if options.look_at == "far":
        budget_gmac = GMAC_PER_S * _interval_s(site.camera)
    return choose_look(
        manifest_of(site),
        region,
        size,
        limit_gmac,
        name=options.model,
        budget_gmac=budget_gmac,
    )


def whole_look_of(site: Site, size: tuple[int, int]) -> Look:
    """Return how they would be looked at without a ground plane: as whole pictures."""
    return choose_look(manifest_of(site), None, size, LIMIT_GMAC, name=site.counter.model)


def _interval_s(camera: Camera) -> float:
    """Seconds from picture to picture, as the site file has it."""
    return camera.every_s if isinstance(camera, PicturesOptions) else 1 / camera.fps


class Counting:
    """From frames to Sightings: picture health first, then the counter, then motion."""

    def __init__(
        self,
        site: Site,
        *,
        limit_gmac: float = LIMIT_GMAC,
        live: bool = True,
        guard: ViewMonitor | None = None,
    ) -> None:
        self._site = site
        self._options = site.counter
        self._manifest = manifest_of(site)
        self._limit_gmac = limit_gmac
        self._judge = HealthJudge(live=live, guard=guard)
        self._motion = MotionMeter()
        self._seconds = SecondLooks()
        self._counter: Counter | None = None
        self._look: Look | None = None
        self._size = (0, 0)
        self._seq = 0
        if self._options.model != "auto":
            self._counter = self._loaded(self._manifest.named(self._options.model))

    @property
    def model(self) -> str:
        """The name of the model in use; empty before the first frame."""
        return self._counter.entry.name if self._counter else ""

    @property
    def look(self) -> Look | None:
        """Where the counter looks; None before the first frame."""
        return self._look

    def prepare(self, camera: Camera) -> None:
        """Load the model that the camera's pictures will need, and run it once.

        On a busy board that takes longer than the watchdog waits for a frame.
        """
        width = getattr(camera, "width", None) or 640
        height = getattr(camera, "height", None) or 352
        self._count(np.zeros((height, width, 3), np.uint8))

    def sighting(self, frame: Frame) -> Sighting:
        """Return what this frame shows; without a count when the picture cannot be trusted.

        A picture that repeats the last one keeps its time, or a camera that freezes would be taken
        to see for as long as that is not yet certain.
        """
        self._seq += 1
        picture = self._judge.judge(frame)
        if picture.faults:
            self._motion.forget()
            return Sighting(self._seq, frame.taken_at, None, picture, self.model)
        heads = self._count(frame.pixels)
        motion = self._motion.see(frame, heads)
        taken_at = self._judge.first_seen
        second = None
        if self._seconds.due(float(heads.count.sum()), frame.taken_at):
            second = self._count(frame.pixels, SECOND_SCALE)
        return Sighting(
            self._seq,
            taken_at,
            heads,
            picture,
            self.model,
            motion,
            second=second,
            hidden=self._judge.hidden(heads, HIDDEN_MOST),
            unlike=self._judge.unlike(heads, UNLIKE_MOST),
        )

    def _count(self, pixels: Pixels, scale: float = 1.0) -> HeadMap:
        height, width, _ = pixels.shape
        if self._counter is None or self._look is None or self._size != (width, height):
            self._size = (width, height)
            self._look = look_of(self._site, self._size, self._limit_gmac)
            self._counter = self._loaded(self._look.entry)
        return self._look.count(self._counter, pixels, scale)

    def _loaded(self, entry: ModelEntry) -> Counter:
        if self._counter is not None and self._counter.entry == entry:
            return self._counter
        return Counter(self._manifest, entry, self._options.runtime, self._options.threads)
