"""What a running unit reports of its own parts: none has to be taken from it."""

from collections.abc import Mapping
from typing import Any

from edge.commands.check import tried
from edge.commands.run import CHILDREN
from edge.common.errors import (
    BeaconError,
    CameraError,
    CardBusyError,
    InputError,
    PanelError,
    RedRoadError,
    ServiceError,
    VoiceError,
)
from edge.common.program import Paths
from edge.report.status import STATUS_STALE_AFTER_S, Status, read_status
from edge.site import Site

OLDEST_PICTURE_S = 3.0
# What to do about a picture that cannot be trusted.
PICTURE_REMEDIES = {
    "dark": "is there light, and is the lens free?",
    "blurred": "clean the lens and focus it",
    "covered": "free the lens, or the zone that the state names as its reason; if a part was "
    "masked on purpose: redroad view accept",
    "moved": "turn the camera back; if it was turned on purpose: redroad view accept",
    "frozen": "the camera repeats one picture, or nothing at all has moved for five minutes: "
    "if its clock runs and the street does not, take its power away for a moment",
}
# Faults that other lines report.
TOLD_ELSEWHERE = {
    "watch": {"camera"},
    "show": {"panel", "layout", "voice", "clips", "beacon", "inputs"},
    "report": {"heat", "power"},
}


def none_reported(paths: Paths, services_run: bool) -> str:
    """Allowed before the unit is started, and not after."""
    if services_run:
        raise ServiceError(
            f"the services run, but nothing can be read in {paths.runtime}; run: sudo redroad "
            "check; if it says the same, see: journalctl -u redroad-report -n 30"
        )
    return f"no unit runs in {paths.runtime}: every part is tried by itself"


def not_tried() -> str:
    """Services hold the part, and report nothing of it: it is not taken from them."""
    return "in use by the services; to have it tried: sudo systemctl stop redroad.target"


class RunningUnit:
    """A unit that reported its health a moment ago."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._programs: Mapping[str, Mapping[str, Any]] = status.health["programs"]

    @classmethod
    def of(cls, paths: Paths) -> "RunningUnit | None":
        """Return the one that runs in these folders; None where none does."""
        status = read_status(paths)
        return None if status is None else cls(status)

    def programs(self, site: Site) -> str:
        """All four run, have this site file, and no fault that no other line reports."""
        if self._status.site != site.digest():
            raise ServiceError(
                "the unit that runs here has another site file, or began before this one was "
                "changed; run: sudo systemctl restart redroad.target, or give its file with --site"
            )
        silent = [child.name for child in CHILDREN if not self._lives(child.name)]
        wrong = [
            f"{name} tells nothing; see: journalctl -u redroad-{name} -n 30" for name in silent
        ]
        for name, program in self._programs.items():
            others = program["faults"].keys() - TOLD_ELSEWHERE.get(name, set())
            wrong += [f"{name}: {part}: {program['faults'][part]}" for part in sorted(others)]
        if wrong:
            raise ServiceError("\n".join(wrong))
        state = self._status.state
        return f"all run; the sign shows {state['message']!r} ({state['reason']})"

    def camera(self) -> str:
        """Its last picture is fresh and trusted."""
        self._refuse("watch", CameraError, "camera")
        health = self._status.health
        age_s, faults = health["frame_age_s"], health["picture_faults"]
        if age_s is None or age_s > OLDEST_PICTURE_S:
            old = "has had no picture yet" if age_s is None else f"had its last {age_s:.0f} s ago"
            raise CameraError(f"the running unit {old}; check the camera's cable and power")
        if faults:
            remedies = "; ".join(PICTURE_REMEDIES.get(fault, fault) for fault in faults)
            raise CameraError(f"the running unit's picture is {', '.join(faults)}: {remedies}")
        watch = self._programs["watch"]
        doubts = [str(watch[doubt]) for doubt in ("pixels", "losses") if doubt in watch]
        counts = f"counted by {watch.get('model', '')}"
        said = f"serves the running unit: a picture {age_s:.1f} s ago, {counts}"
        return "; ".join([said, *doubts])

    def panel(self) -> str:
        """Verify that the sign accepts what it is given."""
        self._refuse("show", PanelError, "panel", "layout")
        proof = self._status.health["sign_proof"]
        return f"serves the running unit; that its text is shown is {proof}"

    def clips(self) -> None:
        """The running unit finds what it is to say."""
        self._refuse("show", VoiceError, "clips")

    def sound(self, site: Site, apart: Paths) -> str:
        """Verify that the last warning was played audibly, and the card still opens.

        Speech in progress goes on; speech that begins waits for a moment (AplaySpeaker).
        """
        self._refuse("show", VoiceError, "voice")
        try:
            return f"serves the running unit: {tried.sound(site, apart)}"
        except CardBusyError:
            return f"serves the running unit: card {site.voice.card!r} is in use"

    def beacon(self, site: Site) -> str:
        """Verify that the lamp follows."""
        self._refuse("show", BeaconError, "beacon")
        return f"{site.beacon.output}, follows the running unit"

    def inputs(self, site: Site) -> str:
        """They can be read."""
        self._refuse("show", InputError, "inputs")
        show = self._programs["show"]
        states = [f"{name} {show.get(name, 'not told yet')}" for name in site.inputs.wired]
        return ", ".join(states) or "none are configured"

    def _lives(self, name: str) -> bool:
        program = self._programs.get(name)
        return program is not None and program["age_s"] <= STATUS_STALE_AFTER_S

    def _refuse(self, name: str, kind: type[RedRoadError], *parts: str) -> None:
        """Raise what the program with these parts reports of them, or that it reports nothing."""
        if not self._lives(name):
            raise kind(f"{name} tells nothing of it; see: journalctl -u redroad-{name} -n 30")
        faults = self._programs[name]["faults"]
        if wrong := [f"the running unit says: {faults[part]}" for part in parts if part in faults]:
            raise kind("\n".join(wrong))
