"""`python -m tests.bench.frozen_live [FILE]`: how long `redroad run` trusts a frozen picture whose
clock runs on. Six minutes. Without a file, an empty simulated street that it encodes itself.
"""

import sys
import tempfile
import time
from pathlib import Path

import av
from av.video.stream import VideoStream

from edge.common.units import NS_PER_S
from edge.street.scene import Scene
from hil.testkit.appliance import ZONE, Appliance
from hil.testkit.mosquitto import wait_for
from tests.watch.overlays import CORNERS, Overlay, clock

PROMISED_S = 330.0
SITE = """
[site]
name = "test"
unit = "one"
[camera]
kind = "stream"
url = "{url}"
repeat = true
fps = 2
[sign]
panel = "recorder"
[voice]
output = "record"
"""


def frozen_film(path: Path, seconds: int = 60) -> Path:
    """A street that stands still under a running clock, in H.264."""
    pixels, drawn = (
        Scene(script=0.0).at(0.0).pixels,
        Overlay("", CORNERS["top left"], 16, lines=clock),
    )
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=2, options={"g": "20"})
        assert isinstance(stream, VideoStream)
        stream.pix_fmt, stream.width, stream.height = "yuv420p", 640, 352
        for number in range(2 * seconds):
            shown = av.VideoFrame.from_ndarray(drawn.on(pixels, number / 2), format="rgb24")
            container.mux(stream.encode(shown))
        container.mux(stream.encode())
    return path


def main() -> None:
    """Print what the panel showed, and when it became neutral."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = Path(sys.argv[1]) if sys.argv[1:] else frozen_film(folder / "frozen.mp4")
        unit = Appliance(folder, SITE.format(url=film.resolve()) + ZONE)
        unit.start()
        try:
            unit.wait_until_level(120)
            began = unit.shown()[-1].at
            wait_for(lambda: unit.message() == "neutral", PROMISED_S + 60, "the sign is neutral")
            time.sleep(10)
            for shown in unit.shown():
                print(f"{(shown.at - began) / NS_PER_S:7.1f} s  {shown.message}")
            print("\n".join(line for line in unit.said().splitlines() if "frozen" in line))
        finally:
            unit.abandon()


if __name__ == "__main__":
    main()
