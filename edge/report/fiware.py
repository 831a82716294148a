"""FIWARE's CrowdFlowObserved: one entity for each zone and period. Pure.

The form is that of Smart Data Models, dataModel.Transportation, CrowdFlowObserved 0.0.3, which
allows attributes of one's own: `level`, `knownShare`, `historical`. Its readers take the absence
of `congested` for "no congestion", so a zone that was not seen all the time without being crowded
must be read by its `level` and `knownShare`: nothing in the model itself can say "unknown".
"""

from datetime import UTC, datetime, timedelta

from edge.common.wire import Level
from edge.report.aggregate import Aggregate, length_s
from edge.report.payloads import Stamp
from edge.site import Site

KM_PER_H = 3.6  # of a metre per second
CONGESTED = (Level.CROWDED, Level.CRITICAL)


def crowd_flow(aggregate: Aggregate, stamp: Stamp, site: Site) -> dict[str, object]:
    """The entity; `stamp` is the period's end. What is not known is left out, never 0 or false."""
    end = datetime.fromtimestamp(stamp.wall_s, UTC)
    begin = end - timedelta(seconds=length_s(aggregate))
    period = [moment.isoformat(timespec="seconds") for moment in (begin, end)]
    people, known = aggregate.people.mean, 1 - aggregate.shares[Level.UNKNOWN]
    speed = aggregate.speed
    crowded = sum(aggregate.shares[level] for level in CONGESTED) > 0
    entity = {
        "id": f"urn:ngsi-ld:CrowdFlowObserved:{site.site.name}:{site.site.unit}:{aggregate.zone}",
        "type": "CrowdFlowObserved",
        "name": aggregate.zone,
        "dateObserved": "/".join(period),
        "dateObservedFrom": period[0],
        "dateObservedTo": period[1],
        "level": _level(aggregate).name,
        "knownShare": round(known, 4),
        "location": _location(site),
        "peopleCount": None if people is None else round(people),
        "averageCrowdSpeed": None if speed is None else round(speed * KM_PER_H, 2),
        "congested": True if crowded else False if known == 1 else None,
        "timeValid": stamp.time_valid,
    }
    return {name: value for name, value in entity.items() if value is not None}


def _level(aggregate: Aggregate) -> Level:
    """Return the worst that stood in the period."""
    return max(level for level, share in aggregate.shares.items() if share > 0)


def _location(site: Site) -> dict[str, object] | None:
    """GeoJSON: longitude first."""
    where = site.site
    if where.longitude is None or where.latitude is None:
        return None
    return {"type": "Point", "coordinates": [where.longitude, where.latitude]}
