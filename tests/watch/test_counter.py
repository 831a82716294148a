"""The counter: the shipped models, files that are not theirs, and both runtimes."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tomlkit
from numpy.typing import NDArray

from edge.common.errors import ModelError
from edge.street.scene import Scene
from edge.watch.counter import Counter
from edge.watch.manifest import Manifest, ModelEntry, shipped_manifest
from edge.watch.pictures import read_picture

MANIFEST = Manifest(shipped_manifest())
ENTRIES = {entry.name: entry for entry in MANIFEST.entries}


@pytest.fixture(scope="module", params=list(ENTRIES))
def entry(request: pytest.FixtureRequest) -> ModelEntry:
    return ENTRIES[request.param]


@pytest.fixture(scope="module")
def counter(entry: ModelEntry) -> Counter:
    return Counter(MANIFEST, entry, "litert", 2)


@pytest.fixture(scope="module")
def wide() -> Counter:
    return Counter(MANIFEST, ENTRIES["street-640x352"], "litert", 2)


def copy_with(tmp_path: Path, content: bytes, **changes: object) -> Manifest:
    """A manifest of one entry, the wide model's, changed, with its file's content."""
    document = tomlkit.parse(shipped_manifest().read_text(encoding="utf-8"))
    model = next(m for m in document["model"] if m["name"] == "street-640x352")
    model["sha256"] = hashlib.sha256(content).hexdigest()
    model.update(changes)
    document["model"] = [model]
    (tmp_path / "street-640x352.tflite").write_bytes(content)
    (tmp_path / "manifest.toml").write_text(tomlkit.dumps(document), encoding="utf-8")
    return Manifest(tmp_path / "manifest.toml")


def load(manifest: Manifest) -> Counter:
    return Counter(manifest, manifest.entries[0], "litert", 1)


def test_every_model_counts_the_golden_picture_as_listed(
    counter: Counter, entry: ModelEntry
) -> None:
    found = counter.count(read_picture(MANIFEST.golden_picture)).total().people
    assert found == pytest.approx(entry.golden_count, rel=0.02, abs=0.5)


@pytest.mark.slow
def test_every_model_counts_a_simulated_street(counter: Counter, entry: ModelEntry) -> None:
    """Within a sixth at a busy moment by day, at the size it is for."""
    picture = Scene(*entry.input).at(28.0)
    found = counter.count(picture.pixels).total()
    assert found.people == pytest.approx(len(picture.heads), rel=1 / 6)
    assert found.low < found.people < found.high


@pytest.mark.parametrize("night", [False, True])
def test_the_demonstration_is_counted_through_all_its_levels(wide: Counter, night: bool) -> None:
    """Within a third all the way: by night the shipped model counts the densest crowd too high."""
    scene = Scene(night=night)
    for moment in (2.0, 20.0, 30.0, 50.0, 75.0, 110.0):
        picture = scene.at(moment)
        found = wide.count(picture.pixels).total().people
        assert found == pytest.approx(len(picture.heads), rel=1 / 3, abs=10), moment


EMPTY = ((0.0, 0.0), (150.0, 0.0))


def picture_of_nobody(name: str, width: int, height: int) -> NDArray[np.uint8]:
    grey = np.linspace(200, 150, height)[:, None, None] * np.ones((1, width, 3))
    made: dict[str, Callable[[], NDArray[np.uint8]]] = {
        "black": lambda: np.zeros((height, width, 3), np.uint8),
        "white": lambda: np.full((height, width, 3), 255, np.uint8),
        "noise": lambda: np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8),
        "fog": lambda: grey.astype(np.uint8),
        "empty street": lambda: Scene(width, height, script=EMPTY).at(5.0).pixels,
        "empty street at night": lambda: (
            Scene(width, height, night=True, script=EMPTY).at(5.0).pixels
        ),
    }
    return made[name]()


@pytest.mark.parametrize(
    "name", ["black", "white", "noise", "fog", "empty street", "empty street at night"]
)
def test_nobody_is_counted_where_nobody_is(counter: Counter, entry: ModelEntry, name: str) -> None:
    assert counter.count(picture_of_nobody(name, *entry.input)).total().people < 0.5


@pytest.mark.parametrize("size", [(352, 640), (544, 360), (48, 64), (1, 1), (2000, 3000), (480, 9)])
def test_pictures_of_any_size_give_a_map_of_their_shape(
    wide: Counter, size: tuple[int, int]
) -> None:
    height, width = size
    heads = wide.count(np.full((height, width, 3), 90, np.uint8))
    rows, columns = heads.count.shape
    assert (heads.width, heads.height) == (width, height)
    assert (rows - 1) * heads.cell < height + 1
    assert (columns - 1) * heads.cell < width + 1
    assert np.all(heads.count >= 0)
    assert np.all(heads.variance >= 0)


def test_a_small_picture_is_not_disturbed_by_the_one_before(wide: Counter) -> None:
    small = Scene(320, 240).at(20.0).pixels
    first = wide.count(small)
    wide.count(Scene().at(50.0).pixels)
    assert np.array_equal(wide.count(small).count, first.count)


def test_the_nearest_model_has_the_shape_of_the_picture() -> None:
    assert MANIFEST.nearest(1920, 1080, 1.0).name in {"street-640x352", "street-960x544"}
    assert MANIFEST.nearest(640, 480, 1.0).name == "street-640x480"
    assert MANIFEST.nearest(1024, 768, 2.3).name == "street-1024x768"
    assert MANIFEST.nearest(360, 544, 1.0).name == "street-384x544"


def test_what_no_model_can_afford_is_refused() -> None:
    with pytest.raises(ModelError, match=r"at most 0.01 GMAC"):
        MANIFEST.nearest(640, 480, 0.01)


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"'street' is unknown.*street-640x352"):
        MANIFEST.named("street")


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    manifest = copy_with(tmp_path, b"x")
    (tmp_path / "street-640x352.tflite").unlink()
    with pytest.raises(ModelError, match=r"street-640x352.tflite: No such file.*reinstall"):
        load(manifest)


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    content = bytearray(MANIFEST.content(ENTRIES["street-640x352"]))
    manifest = copy_with(tmp_path, bytes(content))
    content[len(content) // 2] ^= 1
    (tmp_path / "street-640x352.tflite").write_bytes(content)
    with pytest.raises(ModelError, match="sha256 is"):
        load(manifest)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not one that litert understands"):
        load(copy_with(tmp_path, b"this is no model"))


def test_a_model_of_another_form_is_refused(tmp_path: Path) -> None:
    content = MANIFEST.content(ENTRIES["street-640x480"])
    with pytest.raises(ModelError, match=r"input is .*must be one int8 tensor of shape"):
        load(copy_with(tmp_path, content))


def test_a_manifest_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"manifest.toml"):
        copy_with(tmp_path, b"x", colour="red")


def test_a_missing_manifest_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"counter.manifest"):
        Manifest(tmp_path / "manifest.toml")


COUNT_IN_ANOTHER_PROCESS = """
import json, sys
import numpy as np
from edge.street.scene import Scene
from edge.watch.counter import Counter
from edge.watch.manifest import Manifest, shipped_manifest
manifest = Manifest(shipped_manifest())
counter = Counter(manifest, manifest.named(sys.argv[2]), sys.argv[1], 1)
pictures = [Scene(night=night).at(t) for night in (False, True) for t in (3.0, 28.0)]
maps = [counter.count(picture.pixels) for picture in pictures]
print(json.dumps([m.count.round(4).tolist() for m in maps]))
"""


def count_with(runtime: str) -> list[NDArray[np.float64]]:
    """The head maps of four scenes, in a process of its own: the two runtimes share symbols."""
    result = subprocess.run(
        [sys.executable, "-c", COUNT_IN_ANOTHER_PROCESS, runtime, "street-640x352"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [np.array(cells) for cells in json.loads(result.stdout.splitlines()[-1])]


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="tflite-runtime ends with Python 3.11")
def test_both_runtimes_agree() -> None:
    """Totals within 3 %, cells within a quarter of a head: they round differently."""
    for ours, theirs in zip(count_with("litert"), count_with("tflite-runtime"), strict=True):
        assert theirs.sum() == pytest.approx(ours.sum(), rel=0.03, abs=0.2)
        assert np.abs(ours - theirs).max() < 0.25


def test_a_runtime_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    with pytest.raises(ModelError, match=r"counter.runtime = 'tflite-runtime': not installed"):
        Counter(MANIFEST, MANIFEST.entries[0], "tflite-runtime", 1)
