"""What the tests of stream cameras share."""

import time

import pytest

from edge.common.errors import CameraError
from edge.watch.cameras.camera import NoFrameError
from edge.watch.cameras.stream import StreamCamera

PATIENT_S = 30.0


def why_it_ended(camera: StreamCamera) -> str:
    """The camera's own words at its end; the test fails when it does not end."""
    until = time.monotonic() + PATIENT_S
    while time.monotonic() < until:
        try:
            camera.read(0.5)
        except NoFrameError:
            continue
        except CameraError as error:
            return str(error)
    pytest.fail("it did not end")
