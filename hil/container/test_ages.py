"""How old pictures are when they are counted, over a network that loses and delays them."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.container.ages import (
    CACHED,
    CLEAR,
    FPS,
    LATE_S,
    STREAM_BYTES_S,
    Ages,
    make_clock_film,
    measure,
    served,
    watch_apart,
)
from hil.container.rtsp import RtspCamera
from hil.container.weak_link import WeakLink, Weather

needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/dev/net/tun").exists(),
    reason="a network of its own needs root and /dev/net/tun; run the tests as root",
)
pytestmark = [pytest.mark.slow, pytest.mark.processes]
both = pytest.mark.parametrize("transport", ["tcp", "udp"])


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clock_film(tmp_path_factory.mktemp("film") / "clock.npy")


@pytest.fixture
def link() -> Iterator[WeakLink]:
    link = WeakLink()
    yield link
    link.end()


def is_honest(ages: Ages) -> None:
    """Nothing is older than a second without being said so."""
    assert ages.true_s
    assert ages.unreported == 0


@both
def test_what_a_camera_has_kept_is_not_counted(film: Path, transport: str) -> None:
    """Its first pictures are three seconds old and come all at once."""
    camera = RtspCamera("127.0.0.1", film, FPS, cached=CACHED)
    time.sleep(3.0)
    told: multiprocessing.Queue[Ages] = multiprocessing.Queue()
    watch_apart(camera.url, transport, 5.0, told)
    camera.end()
    ages = told.get(timeout=5.0)
    is_honest(ages)
    assert max(ages.true_s) < LATE_S


@both
def test_what_queued_while_watch_was_stopped_is_not_counted_as_new(
    film: Path, transport: str
) -> None:
    camera = RtspCamera("127.0.0.1", film, FPS)
    spawning = multiprocessing.get_context("spawn")
    told = spawning.Queue()
    watcher = spawning.Process(target=watch_apart, args=(camera.url, transport, 14.0, told))
    watcher.start()
    time.sleep(6.0)
    assert watcher.pid is not None
    os.kill(watcher.pid, signal.SIGSTOP)
    time.sleep(4.0)
    os.kill(watcher.pid, signal.SIGCONT)
    ages = told.get(timeout=60.0)
    watcher.join(10.0)
    camera.end()
    is_honest(ages)
    assert len(ages.true_s) > 10


@needs_namespaces
@both
@pytest.mark.parametrize(
    "weather", [Weather(delay_s=0.2, jitter_s=0.1), Weather(loss=0.03, delay_s=0.05)]
)
def test_delay_jitter_and_loss_are_counted_in(
    film: Path, link: WeakLink, transport: str, weather: Weather
) -> None:
    with served(link, film) as camera:
        ages = measure(link, camera.url, transport, [(10.0, weather)])
    is_honest(ages)
    if transport == "tcp":
        assert ages.faults == []


@needs_namespaces
@both
def test_a_link_that_is_too_slow_is_reported(film: Path, link: WeakLink, transport: str) -> None:
    """What queues is said to be as old as it is, and then the connection is made anew."""
    with served(link, film) as camera:
        turns = [(5.0, CLEAR), (10.0, Weather(rate_bytes_s=0.4 * STREAM_BYTES_S))]
        ages = measure(link, camera.url, transport, turns)
    is_honest(ages)
    assert any("queues on the way" in fault for fault in ages.faults)


@needs_namespaces
def test_the_network_itself_is_as_weak_as_it_is_reported(film: Path, link: WeakLink) -> None:
    """A constant delay is seen by nobody but the round trip: it is counted in, too."""
    with served(link, film) as camera:
        ages = measure(link, camera.url, "tcp", [(12.0, Weather(delay_s=0.5))])
    is_honest(ages)
    assert min(ages.true_s) > 0.5
    assert min(ages.stated_s) > 0.5
