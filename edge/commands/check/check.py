"""`redroad check`: is this unit fit for service, and if not, what to do.

Every line tries the thing itself. Of parts that a running unit holds the unit itself is asked.
"""

import queue
import tempfile
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from edge.commands.check import planned, tried
from edge.commands.check.machine import clock, disk, heat, memory, power, versions
from edge.commands.check.running import RunningUnit, none_reported, not_tried
from edge.commands.check.secrets import judge_secrets
from edge.commands.check.services import Services
from edge.commands.phantoms import phantoms
from edge.common.errors import RedRoadError, ServiceError
from edge.common.program import Paths, paths_of
from edge.report.machine import look
from edge.report.status import read_status
from edge.site import Site, load_site

LINE_LIMIT_S = 20.0

Check = tuple[str, Callable[[], str]]


@dataclass(frozen=True)
class Finding:
    """One line of the check."""

    part: str
    ok: bool
    text: str

    def as_text(self) -> str:
        """For a technician."""
        return f"{'OK   ' if self.ok else 'FAULT'} {self.part:<9} {self.text}"

    def as_dict(self) -> dict[str, object]:
        """For a program."""
        return {"part": self.part, "ok": self.ok, "text": self.text}


def verdict(findings: list[Finding]) -> str:
    """Return the last line."""
    faults = [finding.part for finding in findings if not finding.ok]
    if not faults:
        return "This unit is fit for service."
    return f"This unit is not fit for service: {', '.join(dict.fromkeys(faults))}."


def check_all(site_file: Path | None, paths: Paths, wanted: Collection[str] = ()) -> list[Finding]:
    """Try everything, or only the parts `wanted`.

    With a site file that cannot be read only what needs none.
    """
    machine = _machine(paths.state)
    try:
        site = load_site(site_file)
    except RedRoadError as error:
        wrong = [Finding("site", False, line) for line in str(error).splitlines()]
        return wrong + _lines(machine, wanted)
    with tempfile.TemporaryDirectory(prefix="redroad-check-") as folder:
        # A runtime folder of its own: the check never takes a running unit's sockets.
        apart = paths_of("show", Path(folder), paths.state)
        unit, services_run = RunningUnit.of(paths), _services_run()
        parts = _of_running(site, unit, apart) if unit else _tried(site, apart)
        if services_run and unit is None:
            parts = [(part, not_tried) for part, _ in parts]
        checks = [
            ("site", lambda: _names(site, site_file)),
            *machine,
            ("clock", lambda: clock(site)),
            ("programs", lambda: _programs(site, unit, paths, services_run)),
            *parts,
            ("models", lambda: planned.models(site)),
            ("ground", lambda: planned.ground(site)),
            ("phantoms", lambda: phantoms(site, paths.state)),
            ("texts", lambda: planned.texts(site)),
            ("clips", lambda: _clips(site, apart, unit)),
            ("secrets", lambda: judge_secrets(site, site_file)),
            ("broker", lambda: planned.broker(site, read_status(paths))),
        ]
        return _lines(checks, wanted)


def _lines(checks: Iterable[Check], wanted: Collection[str]) -> list[Finding]:
    return [_try(part, check) for part, check in checks if not wanted or part in wanted]


def _services_run() -> bool:
    """Whether services of ours hold the parts; a hung systemd is reported in its own line."""
    try:
        return Services.look().active
    except ServiceError:
        return False


def _programs(site: Site, unit: RunningUnit | None, paths: Paths, services_run: bool) -> str:
    return unit.programs(site) if unit else none_reported(paths, services_run)


def _names(site: Site, site_file: Path | None) -> str:
    return f"{site_file or 'the demonstration'}: {site.site.name}/{site.site.unit}"


def _machine(state: Path) -> list[Check]:
    """Return what the unit stands on."""
    seen, services = cache(lambda: look(state)), cache(Services.look)
    return [
        ("versions", versions),
        ("services", lambda: services().judge()),
        ("watchdog", lambda: services().watchdog()),
        ("memory", lambda: memory(seen())),
        ("heat", lambda: heat(seen())),
        ("power", lambda: power(seen())),
        ("disk", lambda: disk(paths_of("report", state, state).state)),
    ]


def _of_running(site: Site, unit: RunningUnit, apart: Paths) -> list[Check]:
    """Of a running unit's parts."""
    return [
        ("camera", unit.camera),
        ("panel", unit.panel),
        ("sound", lambda: unit.sound(site, apart)),
        ("beacon", lambda: unit.beacon(site)),
        ("inputs", lambda: unit.inputs(site)),
    ]


def _tried(site: Site, apart: Paths) -> list[Check]:
    """Return the same parts, while no unit holds them."""
    return [
        ("camera", lambda: tried.camera(site)),
        ("panel", lambda: tried.panel(site, apart)),
        ("sound", lambda: tried.sound(site, apart)),
        ("beacon", lambda: tried.beacon(site, apart)),
        ("inputs", lambda: tried.inputs(site, apart)),
    ]


def _try(part: str, check: Callable[[], str]) -> Finding:
    """Return one finding, within its time: a hung driver must not hold up the others."""
    answers: queue.SimpleQueue[Finding] = queue.SimpleQueue()
    answering = threading.Thread(
        target=lambda: answers.put(_finding(part, check)), name=part, daemon=True
    )
    answering.start()
    try:
        return answers.get(timeout=LINE_LIMIT_S)
    except queue.Empty:
        why = f"hangs: no answer in {LINE_LIMIT_S:g} s; start the machine anew, then replace it"
        return Finding(part, False, why)


def _finding(part: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(part, True, check())
    except RedRoadError as error:
        return Finding(part, False, "; ".join(str(error).splitlines()))
    except Exception as error:  # noqa: BLE001  reported in its line, and so are the others
        why = " ".join(f"{type(error).__name__}: {error}".split())
        return Finding(part, False, f"cannot be checked ({why}); send: redroad support-bundle")


def _clips(site: Site, paths: Paths, unit: RunningUnit | None) -> str:
    if unit is not None:
        unit.clips()
    return planned.clips(site, paths)
