"""The simulated street as a camera."""

from edge.clock import boottime_ns, seconds
from edge.site.schema import Scene as SceneOptions
from edge.watch.cameras.pace import Pace
from edge.watch.cameras.scene import Scene
from edge.watch.cameras.staged import Staged
from edge.watch.frame import Frame


class SceneCamera:
    """Looks at a simulated street, whose time begins with the camera."""

    def __init__(self, options: SceneOptions) -> None:
        size, seed = (options.width, options.height), options.seed
        self._scene: Scene | Staged
        if options.scenario:
            self._scene = Staged(options.scenario, *size, seed=seed)
        else:
            self._scene = Scene(*size, seed=seed, night=options.night)
        self._pace = Pace("scene", 1 / options.fps)
        self._start = boottime_ns()

    def read(self, timeout_s: float) -> Frame:
        """The street as it is when the next frame is due."""
        self._pace.wait(timeout_s)
        now = boottime_ns()
        return Frame(self._scene.at(seconds(now - self._start)).pixels, now)

    def close(self) -> None:
        """There is nothing to give back."""
