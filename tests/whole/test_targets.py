"""Every command that README, a document or `make help` names runs, in its shortest form."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from edge.cli import main
from edge.common.program import PROGRAMS

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
FOLDERS = (
    "edge",
    "models",
    "systemd",
    "deploy",
    "tests",
    "hil",
)  # not build/, which comes and goes
DOCUMENTS = [
    path
    for path in sorted(
        [*ROOT.glob("*.md"), *(p for f in FOLDERS for p in (ROOT / f).rglob("*.md"))]
    )
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
]
TARGET = re.compile(r"^([a-z][a-z -]*):(?!=)", re.MULTILINE)
# In code of a document, or in the text of `make help`.
MAKES = re.compile(r'(?:`|^|echo ")(?:sudo )?make (?!-C)([a-z][a-z-]*)', re.MULTILINE)
MODELS_MAKES = re.compile(r"make -C models ([a-z]+)")
MODULES = re.compile(r"python3? -m ((?:edge|hil|tests|models)[a-z._]*)")
REDROADS = re.compile(
    r"(?:`|^\.venv/bin/|^sudo |^ +\.venv/bin/)redroad ([a-z][a-z-]*)", re.MULTILINE
)


@dataclass(frozen=True)
class Smoke:
    """A target's shortest form: what is given to it, and what it prints then."""

    given: tuple[str, ...]
    prints: str
    whole: str = ""  # the test that runs more of it, where this form only begins


ONE_TEST = "ARGS=--collect-only --quiet --numprocesses 0 tests/common/test_wire.py"
RUN = {
    "help": Smoke((), "make check"),
    "debian": Smoke(("NEEDS=",), ""),
    "run": Smoke(("ARGS=--help",), "--site", "tests/whole/test_run.py"),
    "check": Smoke((ONE_TEST,), "test_wire.py"),
    "test": Smoke((ONE_TEST,), "test_wire.py"),
    "faults": Smoke(("ARGS='orders end'",), "kept"),
    "campaign": Smoke(("ARGS=--help",), "--rounds", "hil/campaign/test_short.py"),
    "emulated": Smoke(("ARGS=--help",), "--release"),  # needs QEMU, and an hour
    "bench": Smoke(("ARGS=--short",), "pygame loop"),
    "bench-models": Smoke(
        ("ARGS=--seconds 0 --only 'ours 384x544' --only 'mcnn 640x352'",), "contestant"
    ),
    "kills": Smoke(("ARGS=2",), "0 events lost"),
    "fuzz": Smoke(("ARGS=--collect-only --quiet",), "test_fuzz.py", "tests/report/test_fuzz.py"),
    "fleet": Smoke(("ARGS=--units 2 --seconds 2",), "drained in"),
    "control-room": Smoke(
        ("ARGS=--minutes 0.2",), "all sites", "hil/control_room/test_control_room.py"
    ),
    "soak": Smoke(("HOURS=0.004", "ARGS=--folder {folder}/soak"), "too short for slopes"),
    "cuts": Smoke(("ARGS=--times 2",), "slopes need"),
    "stale": Smoke(("ARGS=--help",), "--broker"),  # 20 minutes, and a Home Assistant
    "deb": Smoke(("ARGS=--help",), "--release", "tests/deploy/test_deb.py"),
}
# Not run here, as each says; what they would run is there.
PRINTED = {
    "lint": "mypy",  # begins `make check` and `make test`, and so has run
    "mutants": "tests/mutants",  # a quarter of an hour, in a copy, with cosmic-ray
    "lock": "uv pip compile",  # needs uv and a network
}
CLEAN = "clean"
GOLDEN = ROOT / "models/golden.jpg"
# Each command of `redroad`, in its shortest form; {folder} is an empty one.
REDROAD = {
    "check": ("--json", "--state", "{folder}", "--runtime", "{folder}"),
    "support-bundle": ("--out", "{folder}/out.tar.gz", "--state", "{folder}"),
    "count": (str(GOLDEN), "--json"),
    "replay": ("{folder}/pictures", "--out", "{folder}", "--no-plot"),
    "calibrate": (str(GOLDEN), "--overlay", "{folder}/ruler.png"),
    "sign preview": ("--out", "{folder}", "--size", "64x32"),
    "levels draw": ("--out", "{folder}/levels.svg"),
    "label": ("--out", "{folder}/label.png"),
    "voice build": ("--state", "{folder}", "--missing"),
    "view accept": ("--state", "{folder}"),
    "camera find": ("--help",),  # tests/commands/test_camera_find.py asks a simulated camera
}
STARTED = {"run", *PROGRAMS}  # by tests/whole/test_run.py, until they are killed


def make(*words: str, timeout_s: float = 570.0) -> subprocess.CompletedProcess[str]:
    """Of this checkout, with this Python's environment in the place of its own."""
    kept = {
        name: text for name, text in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    kept.pop("REDROAD_DATA", None)
    old = ("--old-file=debian", "--old-file=lint", f"--old-file={BIN}/redroad")
    command = ["make", "--no-print-directory", *old, f"BIN={BIN}", *words]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


@pytest.mark.processes
@pytest.mark.timeout(600)  # the bench draws streets of many sizes
@pytest.mark.parametrize("target", RUN)
def test_a_target_runs_in_its_shortest_form(target: str, tmp_path: Path) -> None:
    smoke = RUN[target]
    done = make(target, *(words.format(folder=tmp_path) for words in smoke.given))
    assert done.returncode == 0, done.stdout + done.stderr
    assert smoke.prints in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("target", PRINTED)
def test_what_a_long_target_would_run_is_there(target: str) -> None:
    words = ["make", "--no-print-directory", "--dry-run", "--old-file=debian", f"BIN={BIN}"]
    done = subprocess.run([*words, target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert PRINTED[target] in done.stdout


def test_clean_removes_what_was_made_and_nothing_else(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for made in ("build", "dist", ".venv", "edge"):
        (tmp_path / made).mkdir()
    subprocess.run(["make", "-C", str(tmp_path), CLEAN], check=True, capture_output=True)
    assert {path.name for path in tmp_path.iterdir()} == {"Makefile", "edge"}


def targets(makefile: str) -> set[str]:
    """All that a Makefile can make by name."""
    return {name for match in TARGET.finditer(makefile) for name in match[1].split()}


def test_every_target_is_tried_here() -> None:
    assert {*RUN, *PRINTED, CLEAN} == targets(MAKEFILE)
    assert all((ROOT / smoke.whole).is_file() for smoke in RUN.values() if smoke.whole)


def test_help_names_every_target_but_the_one_of_the_others() -> None:
    assert set(MAKES.findall(MAKEFILE)) == targets(MAKEFILE) - {"help", "debian"}


def named(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """What the documents name, and which of them does."""
    for document in DOCUMENTS:
        for name in pattern.findall(document.read_text(encoding="utf-8")):
            yield name, str(document.relative_to(ROOT))


def test_the_targets_that_documents_name_are_there() -> None:
    known = targets(MAKEFILE)
    assert [(name, where) for name, where in named(MAKES) if name not in known] == []
    assert {"run", "test", "check"} <= {name for name, _ in named(MAKES)}


def test_the_workshop_s_targets_are_there_and_their_modules_too() -> None:
    """They run in an environment of their own, with PyTorch, and for hours."""
    makefile = (ROOT / "models/Makefile").read_text(encoding="utf-8")
    known = targets(makefile)
    assert {name for name, _ in named(MODELS_MAKES)} <= known
    for name in known - {"help"}:
        module = "comparison/peers" if name == "peers" else name
        assert (ROOT / "models" / f"{module}.py").is_file(), name


def test_the_modules_that_are_named_are_there() -> None:
    found = [*named(MODULES), *((name, "Makefile") for name in MODULES.findall(MAKEFILE))]
    for name, where in found:
        assert importlib.util.find_spec(name.rstrip(".")), f"{where} names {name}"


def commands() -> set[str]:
    """Every command of `redroad` that does something."""
    assert isinstance(main, click.Group)
    found = set[str]()
    for name, command in main.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {}
        found |= {f"{name} {each}" for each in inner} or {name}
    return found


def test_the_commands_that_documents_name_are_there_and_every_one_is_run() -> None:
    assert {*REDROAD, *STARTED} == commands()
    known = {name.partition(" ")[0] for name in commands()}
    for name, where in named(REDROADS):
        assert name in known, f"{where} names redroad {name}"


@pytest.mark.processes
@pytest.mark.parametrize("command", REDROAD)
def test_a_command_runs_in_its_shortest_form(command: str, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    shutil.copy(GOLDEN, tmp_path / "pictures/street-20261031200000.jpg")
    words = [word.format(folder=tmp_path) for word in REDROAD[command]]
    done = subprocess.run(
        [sys.executable, "-m", "edge", *command.split(), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode in ({0, 1} if command == "check" else {0}), done.stderr  # 1: not fit
    assert done.stdout or list(tmp_path.iterdir())
    assert "Traceback" not in done.stderr
