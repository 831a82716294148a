"""What the soak makes of figures: slopes that are there are found, those that are not are not."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from hil.soak.samples import figures_of
from hil.soak.trend import BLOCK_S, trend

EVERY_S = 10.0
HOUR = np.arange(0, 3600, EVERY_S)
ROUND = np.sin(2 * np.pi * HOUR / BLOCK_S)  # the street's


def noise(seed: int, likeness: float) -> NDArray[np.float64]:
    """Of standard deviation 1, each value like the one before it to this part."""
    rng = np.random.default_rng(seed)
    values = np.asarray(rng.normal(0, (1 - likeness**2) ** 0.5, len(HOUR)))
    for index in range(1, len(values)):
        values[index] += likeness * values[index - 1]
    return values


@pytest.mark.parametrize("likeness", [0.0, 0.8, 0.95])
def test_noise_that_goes_nowhere_is_flat(likeness: float) -> None:
    """Also noise whose neighbours are alike; a plain straight line would find slopes in it."""
    found = [trend(HOUR, 100 + 3 * ROUND + noise(seed, likeness)) for seed in range(300)]
    false = sum(not each.is_flat for each in found) / len(found)
    assert false <= 0.05, false


@pytest.mark.parametrize("likeness", [0.0, 0.8])
def test_a_leak_is_found(likeness: float) -> None:
    """A leak of 4 MB an hour, in noise of 1 MB and a round of 3 MB."""
    found = [
        trend(HOUR, 100 + 4 * HOUR / 3600 + 3 * ROUND + noise(seed, likeness)) for seed in range(50)
    ]
    assert sum(each.grows for each in found) >= 48
    assert np.mean([each.slope for each in found]) == pytest.approx(4, rel=0.05)


def test_what_never_changes_is_flat_and_what_only_rises_grows() -> None:
    assert trend(HOUR, np.full(len(HOUR), 12.0)).is_flat
    assert trend(HOUR, HOUR / 3600).grows


def test_too_short_a_run_is_refused() -> None:
    with pytest.raises(ValueError, match="must be at least 6"):
        trend(HOUR[:80], HOUR[:80])


HOLDS = """
import sys, threading, time
held = [open(sys.argv[1], "w") for _ in range(20)], bytearray(b"x" * 50_000_000)
held[0][0].write("y" * 1_000_000)
held[0][0].flush()
for _ in range(3):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("ready", flush=True)
time.sleep(60)
"""


def test_the_kernel_reports_of_a_real_process_what_it_holds(tmp_path: Path) -> None:
    """What is written to a folder in memory wears no disk, and counts nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, tmp_path / "file"], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            seen = figures_of([psutil.Process(process.pid)])
        finally:
            process.kill()
    assert 50 < seen["heap_mb"] <= seen["pss_mb"] < 80
    assert seen["descriptors"] >= 20
    assert seen["threads"] == 4
    written_mb = 0.0 if _in_memory(tmp_path) else 1.0
    assert seen["written_mb"] == pytest.approx(written_mb, abs=0.1)


def _in_memory(folder: Path) -> bool:
    told = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, check=True)
    return told.stdout.strip() == b"tmpfs"
