"""An alert to other agencies: a message of the Common Alerting Protocol. Pure.

The form is OASIS CAP 1.2 (1 July 2010), section 3.2, and its XML Schema. The words are those of the
sign at CRITICAL and of `edge.messages.ALERTS`, in Korean and English. An alert of a simulated
street has the status "Test". No picture is in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from edge.common.wire import Level, State, ZoneState
from edge.messages import ALERTS, CRITICAL, MESSAGES, NEUTRAL, AlertWords
from edge.report.identity import device_id
from edge.report.payloads import Stamp
from edge.site import Site
from edge.site.overrides import words_of
from edge.site.schema import StreamOptions

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
RESTRICTION = "for the authorities in charge; to be judged by a person before it is made public"
M_PER_KM = 1000.0
Kind = Literal["Alert", "Update", "Cancel"]
Certainty = Literal["Observed", "Likely", "Possible", "Unknown"]
CERTAINTIES: tuple[Certainty, ...] = ("Unknown", "Possible", "Likely", "Observed")


@dataclass(frozen=True)
class Envelope:
    """What a message is beside its content.

    `earlier` are the messages that it updates or cancels, as CAP refers to them; it `expires_s`
    (Unix) at the latest. A `trial` is about nothing.
    """

    kind: Kind
    stamp: Stamp
    expires_s: float
    earlier: tuple[str, ...] = ()
    trial: bool = False


@dataclass(frozen=True)
class Judgement:
    """CAP's certainty and severity of what is seen."""

    certainty: Certainty
    severity: Literal["Extreme", "Severe", "Unknown"]


def judge(state: State, rise: float) -> Judgement:
    """Judge a state by its zones at CRITICAL, which begins at `rise` persons per m².

    Observed: the whole 90 % interval is beyond it; likely: the estimate is, or the motion is
    dangerous, too; possible: only doubt keeps the level up. What is held by command, or not seen,
    is unknown.
    """
    seen = [_certainty(zone, rise) for zone in _critical(state)]
    warned = any(zone.warning for zone in _critical(state))
    return Judgement(
        max(seen, key=CERTAINTIES.index, default="Unknown"), "Extreme" if warned else "Severe"
    )


def identifier(site: Site, stamp: Stamp) -> str:
    """Return the identifier of a message of that moment; of no other, on any unit."""
    return f"{device_id(site)}.{stamp.boot_id}.{stamp.at}"


def reference(site: Site, stamp: Stamp) -> str:
    """Return how later messages refer to one (CAP 1.2, 3.2.1: sender,identifier,sent)."""
    return f"{site.alerts.sender},{identifier(site, stamp)},{_moment(site, stamp.wall_s)}"


def cap_message(site: Site, state: State, envelope: Envelope, judgement: Judgement) -> str:
    """Return the XML of a message about `state`."""
    alert = ElementTree.Element("alert", xmlns=NAMESPACE)
    for name, text in _head(site, envelope):
        ElementTree.SubElement(alert, name).text = text
    for words in ALERTS.values():
        info = ElementTree.SubElement(alert, "info")
        for name, text in _info(site, state, envelope, judgement, words):
            ElementTree.SubElement(info, name).text = text
        _add_area(info, site)
    text = ElementTree.tostring(alert, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'


def is_simulated(site: Site) -> bool:
    """Return whether the camera shows no street of the present."""
    camera = site.camera
    if isinstance(camera, StreamOptions):
        return "://" not in camera.url and not camera.url.startswith("/dev/")
    return camera.kind != "picamera"


def _head(site: Site, envelope: Envelope) -> Iterator[tuple[str, str]]:
    options, stamp = site.alerts, envelope.stamp
    yield "identifier", identifier(site, stamp)
    yield "sender", str(options.sender)
    yield "sent", _moment(site, stamp.wall_s)
    yield "status", "Test" if envelope.trial or is_simulated(site) else "Actual"
    yield "msgType", envelope.kind
    yield "source", f"{site.site.name}/{site.site.unit}"
    yield "scope", "Public" if options.public else "Restricted"
    if not options.public:
        yield "restriction", RESTRICTION
    if not stamp.time_valid:
        yield "note", " ".join(words.clock for words in ALERTS.values())
    if envelope.earlier:
        yield "references", " ".join(envelope.earlier)


def _info(
    site: Site, state: State, envelope: Envelope, judgement: Judgement, words: AlertWords
) -> Iterator[tuple[str, str]]:
    """The elements of an info block, in the order of the schema."""
    options, over = site.alerts, envelope.kind == "Cancel"
    sign = words_of(site, CRITICAL.name, _language(words))
    yield "language", words.language
    yield "category", "Safety"
    yield "event", words.event
    if not over and not envelope.trial:
        yield "responseType", "Avoid"
    yield "urgency", "Unknown" if envelope.trial else "Past" if over else "Immediate"
    yield "severity", judgement.severity
    yield "certainty", judgement.certainty
    yield "expires", _moment(site, envelope.expires_s)
    if options.sender_name is not None:
        yield "senderName", options.sender_name
    if envelope.trial:
        yield "headline", words.trial
        return
    description = " ".join(_description(site, state, envelope, words))
    yield "headline", description if over else f"{sign.headline}: {sign.action}"
    yield "description", description
    if not over:
        yield "instruction", sign.spoken
    if options.contact is not None:
        yield "contact", options.contact


def _description(site: Site, state: State, envelope: Envelope, words: AlertWords) -> Iterator[str]:
    critical = _level_name(site, Level.CRITICAL, words)
    if envelope.kind == "Cancel":
        yield words.ended.format(critical=critical, level=_level_name(site, state.level, words))
    elif state.level is not Level.CRITICAL:
        yield words.unseen.format(level=critical)
    elif not _critical(state):
        yield words.held
    for zone in _critical(state):
        yield from _zone(zone, words)
    if not envelope.stamp.time_valid:
        yield words.clock


def _zone(zone: ZoneState, words: AlertWords) -> Iterator[str]:
    seen = zone.occupancy
    if seen is not None:
        figures = {"people": f"{seen.people:.0f}", "low": f"{seen.low:.0f}"}
        more = {"high": f"{seen.high:.0f}", "peak": f"{seen.peak:.1f}"}
        yield words.crowd.format(zone=zone.zone, **figures, **more)
    if zone.warning:
        yield words.moves.format(zone=zone.zone)


def _add_area(info: ElementTree.Element, site: Site) -> None:
    """By name always; as a circle (degrees, and km) where the place is known."""
    where, area = site.site, ElementTree.SubElement(info, "area")
    ElementTree.SubElement(area, "areaDesc").text = site.alerts.area or where.name
    if where.latitude is not None and where.longitude is not None:
        radius = f"{site.alerts.radius_m / M_PER_KM:g}"
        circle = f"{where.latitude:.6f},{where.longitude:.6f} {radius}"
        ElementTree.SubElement(area, "circle").text = circle


def _critical(state: State) -> list[ZoneState]:
    return [zone for zone in state.zones if zone.level is Level.CRITICAL]


def _certainty(zone: ZoneState, rise: float) -> Certainty:
    """Of one zone: the peak's lower end is as far below it as that of the people."""
    seen = zone.occupancy
    if seen is None:
        return "Unknown"
    if seen.people > 0 and seen.peak * seen.low / seen.people >= rise:
        return "Observed"
    return "Likely" if seen.peak >= rise or zone.warning else "Possible"


def _language(words: AlertWords) -> str:
    return words.language.partition("-")[0]


def _level_name(site: Site, level: Level, words: AlertWords) -> str:
    row = MESSAGES[level]
    return level.name if row is NEUTRAL else words_of(site, row.name, _language(words)).headline


def _moment(site: Site, wall_s: float) -> str:
    """With the site's offset. CAP 1.2, 3.3.2: no "Z", and UTC itself is -00:00."""
    time = datetime.fromtimestamp(wall_s, UTC).astimezone(ZoneInfo(site.site.time_zone))
    return time.isoformat(timespec="seconds").replace("+00:00", "-00:00")
