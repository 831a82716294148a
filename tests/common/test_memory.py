"""What is free goes back to the kernel."""

import subprocess
import sys

HELD_MB = """
import re
from pathlib import Path
from edge.common.memory import Tidy

def held_mb() -> float:
    told = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"RssAnon:\\s+(\\d+) kB", told)[1]) / 1024

large, small = 100_000, 1_000
pairs = [(b"x" * large, b"y" * small) for _ in range(300)]
kept = [second for _, second in pairs]
del pairs
before = held_mb()
Tidy().pass_time()
print(before - held_mb())
"""


def test_free_pages_go_back_from_below_what_is_in_use() -> None:
    """Of 30 MB in pieces, each below a small one that stays."""
    done = subprocess.run([sys.executable, "-c", HELD_MB], capture_output=True, check=True)
    assert float(done.stdout) > 20
