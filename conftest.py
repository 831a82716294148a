"""How the whole suite is run: which tests start a zoo of processes, and which may run side by side.

`make check` leaves out those marked `processes`; a test that starts a program of the product, a
broker, a container or a browser without that mark fails, so that none is forgotten.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from types import CodeType
from typing import Any

import pytest

from edge.common.program import PROGRAMS

# Names that stand for processes: a test that uses one, itself or by a fixture, is marked by that.
STARTERS = {
    "Appliance", "ControlRoom", "Evening", "ShowProcess", "Report", "ReportUnit", "Mosquitto",
    "sync_playwright", "virtual_screen",
}  # fmt: skip
# A container has the machine's cgroups, mounts and network names: one test at a time uses them.
RIG = {"can_boot", "_can_boot"}
ZOO = {
    "mosquitto", "prometheus", "prometheus-mqtt-exporter", "prometheus-alertmanager", "promtool",
    "amtool", "systemd-nspawn", "mmdebstrap", "Xvfb", "chromium", "node", "dpkg-buildpackage",
}  # fmt: skip
COMMANDS = {"run", *PROGRAMS}


class _Running:
    """What the audit hook knows of the test that runs now."""

    item: pytest.Item | None = None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark, group for the workers, and let what takes longest begin first."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & RIG or _starts_processes(item):
            item.add_marker(pytest.mark.processes)
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(_group(item, fixtures)))
    items.sort(key=lambda item: not _has_rig(item))  # stable: all others keep their order


def _has_rig(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("xdist_group")
    return mark is not None and mark.args == ("rig",)


def _group(item: pytest.Item, fixtures: set[str]) -> str:
    """What one worker takes as a whole: the rig, a module that shares a fixture, or a function."""
    if fixtures & RIG:
        return "rig"
    shared = any(fixture.scope == "module" for fixture in _fixtures(item))
    return item.nodeid.partition("::" if shared else "[")[0]


def _fixtures(item: pytest.Item) -> list[Any]:
    """The definitions of all that it uses."""
    known = getattr(item, "_fixtureinfo", None)
    return [each for found in known.name2fixturedefs.values() for each in found] if known else []


def _starts_processes(item: pytest.Item) -> bool:
    functions = [getattr(item, "function", None), *(fixture.func for fixture in _fixtures(item))]
    codes = [code for each in functions if (code := getattr(each, "__code__", None))]
    return any(_names(code) & STARTERS for code in codes)


def _names(code: CodeType) -> set[str]:
    """All that it uses by name, also in the functions within it."""
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*(_names(each) for each in inner))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Tell the audit hook which test runs."""
    _Running.item = item
    try:
        return (yield)
    finally:
        _Running.item = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse to let an unmarked test start what belongs to the zoo."""
    item = _Running.item
    if event != "subprocess.Popen" or item is None or item.get_closest_marker("processes"):
        return
    words = arguments[1]
    if isinstance(words, Sequence) and (started := _of_the_zoo([str(word) for word in words])):
        raise AssertionError(
            f"{item.nodeid} starts {started}; mark it with @pytest.mark.processes, "
            "so that `make check` leaves it out"
        )


def _of_the_zoo(words: Sequence[str]) -> str:
    """The word that says so; empty for any other command."""
    named = {PurePath(word).name for word in words} & ZOO
    if named:
        return named.pop()
    at = words.index("edge") if "edge" in words else -1
    following = words[at + 1 : at + 2] if at > 0 and words[at - 1] == "-m" else ()
    return next((word for word in following if word in COMMANDS), "")


sys.addaudithook(_audit)
