"""The simulated street as a camera."""

from concurrent.futures import ThreadPoolExecutor

from edge.common.clock import boottime_ns
from edge.common.units import seconds
from edge.site.schema import SceneOptions
from edge.street.scenarios import StagedScenario
from edge.street.scene import Scene
from edge.watch.cameras.camera import NoFrameError
from edge.watch.cameras.pace import Pace
from edge.watch.frame import Frame


class SceneCamera:
    """Looks at a simulated street, whose time begins with the camera, or at `start` (ns).

    The street and its people are drawn in a thread: on a slow machine that takes longer than a
    program may be silent.
    """

    def __init__(self, options: SceneOptions, start: int | None = None) -> None:
        self._start = boottime_ns() if start is None else start
        self._pace = Pace("scene", 1 / options.fps)
        painter = ThreadPoolExecutor(1, "scene")
        self._scene = painter.submit(_drawn, options, seconds(boottime_ns() - self._start))
        painter.shutdown(wait=False)

    def read(self, timeout_s: float) -> Frame:
        """Return the street as it is when the next frame is due."""
        try:
            scene = self._scene.result(timeout_s)
        except TimeoutError as error:
            raise NoFrameError("camera scene: the street is still being drawn; wait") from error
        self._pace.wait(timeout_s)
        now = boottime_ns()
        return Frame(scene.at(seconds(now - self._start)).pixels, now)

    def close(self) -> None:
        """There is nothing to give back."""


def _drawn(options: SceneOptions, t_s: float) -> Scene | StagedScenario:
    """Return the scene, with the figures of those who are there at `t_s`."""
    size, seed = (options.width, options.height), options.seed
    scene: Scene | StagedScenario
    if options.scenario:
        scene = StagedScenario(options.scenario, *size, seed=seed)
    else:
        scene = Scene(*size, seed=seed, night=options.night)
    scene.at(t_s)
    return scene
