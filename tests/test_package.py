"""The package as a unit gets it: a wheel with everything that the appliance reads."""

import subprocess
import sys
import zipfile
from pathlib import Path

from edge.watch.manifest import Manifest, shipped_manifest

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_every_model_and_font(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps"]
    subprocess.run([*build, "--wheel-dir", tmp_path, ROOT], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    manifest = Manifest(shipped_manifest())
    needed = {"manifest.toml", manifest.golden_picture.name, *(e.file for e in manifest.entries)}
    assert {f"edge/shipped_models/{name}" for name in needed} <= held
    fonts = {str(path.relative_to(ROOT)) for path in (ROOT / "edge/show/fonts").iterdir()}
    assert fonts <= held


def test_the_locks_name_no_address() -> None:
    for lock in (ROOT / "deploy" / "locks").glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--hash=sha256:" in text
