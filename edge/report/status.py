"""What upstream was told last, in a file beside the sockets: for whoever stands at the unit."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.clock import NS_PER_S, boot_id, boottime_ns
from edge.program import Places, Program

STATUS_FILE = "status.json"
WRITTEN_EVERY_S = 10.0
STALE_AFTER_S = 30.0


@dataclass(frozen=True)
class Status:
    """The state and health payloads, as upstream has them, `age_s` seconds ago."""

    age_s: float
    state: Mapping[str, Any]
    health: Mapping[str, Any]


def write_status(program: Program, state: str, health: str) -> None:
    """Keep both payloads (JSON); a folder that does not take them is a fault, and no more."""
    path = program.places.runtime / STATUS_FILE
    draft = path.with_suffix(".new")
    try:
        draft.write_text(f'{{"state":{state},"health":{health}}}\n', encoding="utf-8")
        draft.replace(path)  # a reader finds the old one or the new, never half of one
    except OSError as error:
        program.fault("status", f"{path} cannot be written ({error.strerror}); free that folder")
    else:
        program.recovered("status")


def forget_status(places: Places) -> None:
    """A unit that has ended tells nothing; what a killed one told is believed for half a minute."""
    with contextlib.suppress(OSError):
        (places.runtime / STATUS_FILE).unlink()


def read_status(places: Places) -> Status | None:
    """What a unit that runs in these folders told last; None where none runs."""
    try:
        told = json.loads((places.runtime / STATUS_FILE).read_text(encoding="utf-8"))
        state, health = dict(told["state"]), dict(told["health"])
        age_s = (boottime_ns() - int(health["at_boot_ns"])) / NS_PER_S
    except (OSError, ValueError, KeyError, TypeError):
        return None
    lives = health.get("boot_id") == boot_id() and 0 <= age_s <= STALE_AFTER_S
    return Status(age_s, state, health) if lives else None
