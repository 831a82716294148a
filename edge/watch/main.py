"""The program `watch`: frames in, Sightings out. No frame leaves this program."""

import numpy as np
from numpy.typing import NDArray

from edge.common.clock import boottime_ns
from edge.common.errors import ViewError
from edge.common.program import Paths, Program, running
from edge.common.sighting import HIDDEN_MOST, SIGHTINGS, HeadMap, Sighting
from edge.site import Site
from edge.site.schema import Camera
from edge.watch.aspect import doubt_of
from edge.watch.cameras.choose import open_camera, remedy_if_slow
from edge.watch.cameras.learnt import Learnt
from edge.watch.cameras.reconnecting import ReconnectingCamera
from edge.watch.counter import Counter
from edge.watch.frame import Frame
from edge.watch.health import HealthJudge
from edge.watch.manifest import Manifest, shipped_manifest
from edge.watch.motion import MotionMeter
from edge.watch.rate import Rate
from edge.watch.view import View
from edge.watch.view_monitor import ViewMonitor
from edge.watch.view_store import ViewStore

# What a Pi 4 counts in about 0.1 s.
LIMIT_GMAC = 1.0


def run(site: Site, paths: Paths) -> None:
    """Watch until asked to stop."""
    with running("watch", paths) as program:
        keeper = ViewStore(paths.state, site.camera)
        guard = ViewMonitor(_kept_view(keeper, program))
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
                decide.send(counting.sighting(frame))
                program.facts.update(model=counting.model, view=guard.status)
                _tell_size(frame, site.camera, program)
                _keep_view(keeper, guard, program)
                rate.add(boottime_ns())
            _tell_rate(rate, program)
            program.alive()
            frame = camera.read()
        camera.close()


def _tell_size(frame: Frame, camera: Camera, program: Program) -> None:
    """Log the pictures' size, and whether it indicates pixels that are not square."""
    height, width, _ = frame.pixels.shape
    program.facts["picture_px"] = f"{width}x{height}"
    doubt = doubt_of(camera, width, height)
    if doubt is None:
        program.facts.pop("pixels", None)
    else:
        program.facts["pixels"] = doubt


def _tell_rate(rate: Rate, program: Program) -> None:
    """Report the rate once it is known; a slow processor shows here first."""
    if (pictures := rate.per_second(boottime_ns())) is not None:
        program.facts["pictures_per_s"] = pictures


def _kept_view(keeper: ViewStore, program: Program) -> View | None:
    try:
        return keeper.load()
    except ViewError as error:
        program.fault("view", str(error))
        return None


def _keep_view(keeper: ViewStore, guard: ViewMonitor, program: Program) -> None:
    """The sign goes on with a view that cannot be kept; it is then learnt anew at each start."""
    try:
        if keeper.follow(guard):
            program.recovered("view")
    except ViewError as error:
        program.fault("view", str(error))


def manifest_of(site: Site) -> Manifest:
    """Return the site's own list of models, or the shipped one."""
    own = site.counter.manifest
    return Manifest(site.path(own) if own else shipped_manifest())


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
        self._options = site.counter
        self._manifest = manifest_of(site)
        self._limit_gmac = limit_gmac
        self._judge = HealthJudge(live=live, guard=guard)
        self._motion = MotionMeter()
        self._counter: Counter | None = None
        self._shape: tuple[int, ...] = ()
        self._seq = 0
        if self._options.model != "auto":
            self._counter = self._load(*self._manifest.named(self._options.model).input)

    @property
    def model(self) -> str:
        """The name of the model in use; empty before the first frame."""
        return self._counter.entry.name if self._counter else ""

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
        hidden = self._judge.hidden(heads.count.shape, HIDDEN_MOST)
        return Sighting(self._seq, taken_at, heads, picture, self.model, motion, hidden)

    def _count(self, pixels: NDArray[np.uint8]) -> HeadMap:
        if self._counter is None or self._shape != pixels.shape:
            self._shape = pixels.shape
            self._counter = self._load(pixels.shape[1], pixels.shape[0])
        return self._counter.count(pixels)

    def _load(self, width: int, height: int) -> Counter:
        """Return the model of the site file, or for "auto" the one nearest to the picture."""
        options = self._options
        if options.model == "auto":
            entry = self._manifest.nearest(width, height, self._limit_gmac)
        else:
            entry = self._manifest.named(options.model)
        if self._counter is not None and self._counter.entry == entry:
            return self._counter
        return Counter(self._manifest, entry, options.runtime, options.threads)
