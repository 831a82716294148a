"""One picture of the site's camera, for commands."""

import time

from edge.common.errors import CameraError
from edge.site import Site
from edge.watch.cameras.camera import NoFrameError
from edge.watch.cameras.choose import open_camera
from edge.watch.cameras.learnt import Learnt
from edge.watch.frame import Frame

OPENINGS = 2


def one_frame(site: Site, within_s: float, learnt: Learnt | None = None) -> Frame | None:
    """Return the first picture, or None when none came within `within_s` seconds.

    A camera that takes a connection and gives nothing is opened once more, over RTSP's other
    transport. CameraError as from the camera.
    """
    learnt = learnt or Learnt()
    until = time.monotonic() + within_s
    for opening in range(OPENINGS):
        camera = open_camera(site, learnt)
        try:
            while (left_s := until - time.monotonic()) > 0:
                try:
                    return camera.read(min(1.0, left_s))
                except NoFrameError:
                    continue
        except CameraError:
            if learnt.silent is None or opening + 1 == OPENINGS:
                raise
        finally:
            camera.close()
    return None
