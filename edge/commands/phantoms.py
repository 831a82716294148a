"""Heads that a unit counts where nobody is: where in the picture, in which zone, what to do."""

from collections.abc import Sequence
from pathlib import Path

from edge.common.errors import GroundError, ViewError
from edge.common.sighting import HeadMap
from edge.common.wire import Occupancy
from edge.decide.zones import ZoneCounter
from edge.site import Site
from edge.watch.baseline import DAYS, Days, places
from edge.watch.baseline_store import BaselineStore

FEW_HEADS = 1.0
PLACES = 3
REMEDY = (
    "see it with: redroad count PICTURE --overlay FOLDER --state STATE; then turn the camera away "
    "from it, take it away or mask it in the camera, draw the zone without it, or fine-tune the "
    "counter (models/README.md)"
)


def phantoms(site: Site, state: Path) -> str:
    """Say what the unit of this state folder counts at its quietest hours.

    ViewError where that keeps a zone from ever being CLEAR.
    """
    days = _days(state)
    nobody = None if days is None else days.nobody
    if nobody is None:
        return _not_known(days)
    heads = nobody.total().people
    if heads < FEW_HEADS:
        return f"{heads:.1f} heads are counted where nobody is"
    zones = _zones(site, nobody)
    words = (
        f"{heads:.1f} heads are counted where nobody is, at the quietest hours of {DAYS} days"
        f"{_where(nobody)}{_in_zones(zones)}; no count is changed by it; {REMEDY}"
    )
    never_clear = [seen for seen in zones if seen.peak >= site.levels.caution.fall]
    if never_clear:
        raise ViewError(f"{_never_clear(never_clear, site)}: {words}")
    return words


def nobody_of(state: Path) -> HeadMap:
    """What the unit of this state folder counts where nobody is; ViewError before it knows."""
    days = _days(state)
    if days is None or days.nobody is None:
        raise ViewError(f"--state {state}: {_not_known(days)}; leave it out until then")
    return days.nobody


def _days(state: Path) -> Days | None:
    return BaselineStore(state / "watch").load()


def _not_known(days: Days | None) -> str:
    """How far a unit is with learning it."""
    seen = 0 if days is None else len(days.before)
    return (
        f"what is counted where nobody is will be known after {DAYS} days of running, "
        f"{seen} are over"
    )


def _zones(site: Site, nobody: HeadMap) -> Sequence[Occupancy]:
    """Each zone as `decide` would measure it; none where the ground does not suit the picture."""
    try:
        return ZoneCounter(site.zone, site.ground).count(nobody, taken_at=1).zones
    except GroundError:  # has a line of its own
        return ()


def _where(nobody: HeadMap) -> str:
    found = places(nobody)[:PLACES]
    if not found:
        return ", all over the picture"
    size = f"{nobody.width}x{nobody.height}"
    return f": {'; '.join(f'{place.heads:.1f} in {place.box}' for place in found)} (of {size})"


def _in_zones(zones: Sequence[Occupancy]) -> str:
    named = [f"{seen.people:.1f} in zone {seen.zone!r}" for seen in zones if seen.people >= 0.1]
    return f"; of them {', '.join(named)}" if named else ""


def _never_clear(zones: Sequence[Occupancy], site: Site) -> str:
    named = ", ".join(f"zone {seen.zone!r} reads {seen.peak:.1f}" for seen in zones)
    fall = site.levels.caution.fall
    return f"{named} persons per m² where nobody is, and CAUTION ends below {fall:g}"
