"""Whether what the site file asks for can be: models, ground, texts, clips, broker."""

import numpy as np

from edge.commands.calibrate.slim import slimness
from edge.commands.calibrate.survey_points import check_zones, head_px
from edge.common.errors import BrokerError, GroundError, LayoutError, ModelError, VoiceError
from edge.common.program import Paths
from edge.decide.motion import LEAST_SAMPLES_PER_M
from edge.decide.orders import pages_of
from edge.messages import MESSAGES
from edge.report.homeassistant import PREFIX
from edge.report.status import Status
from edge.report.trial import Tried, try_broker
from edge.show.clips import lacking_clips
from edge.show.layout import letter_height
from edge.show.parts import clips_folder
from edge.site import Site
from edge.site.ground.plane import GroundPlane
from edge.site.outputs import Sign
from edge.site.overrides import phrases_of
from edge.watch.counter import Counter
from edge.watch.main import look_of, manifest_of, whole_look_of
from edge.watch.manifest import ModelEntry
from edge.watch.pictures import read_picture
from edge.watch.thumbnail import step_of

GOLDEN_TOLERANCE = 0.02
LETTER_MM_PER_M = 2.5  # usual rule: 25 mm of letter for each 10 m


def ground(site: Site) -> str:
    """The points must give a plane, and every zone lie where heads can be counted."""
    if site.ground is None:
        return "none: zones are outlines in the picture, and their peak is their mean density"
    plane = GroundPlane.of(site.ground)
    size = (plane.width, plane.height)
    look, everything = look_of(site, size), whole_look_of(site, size)
    zones = [zone for zone in site.zone if zone.ground is not None]
    bad = check_zones(zones, plane, look)
    if bad:
        raise GroundError("\n".join(bad))
    doubt = slimness(site.ground)
    return (
        f"{len(site.ground.points)} points, at most {plane.residuals_m.max():.2f} m off; "
        f"every zone can be counted; "
        f"{head_px(zones, plane, look, everything) if zones else 'none is on the ground'}; "
        f"{_speeds(site, plane)}{f'; {doubt}' if doubt else ''}"
    )


def _speeds(site: Site, plane: GroundPlane) -> str:
    """Of which zones no speed will be known; a fault where the site wants warnings of it."""
    step = step_of(plane.height, plane.width)
    coarse = {
        zone.name: least
        for zone in site.zone
        if zone.ground is not None
        and (least := plane.px_per_m(np.array(zone.ground)).min() / step) < LEAST_SAMPLES_PER_M
    }
    if not coarse:
        return "speeds can be told"
    words = ", ".join(f"{name} ({least:.1f} samples per m)" for name, least in coarse.items())
    words = f"no speed of {words}: must be {LEAST_SAMPLES_PER_M:g} at the far end"
    if site.warnings.raise_level:
        raise GroundError(
            f"{words}, for warnings.raise_level; draw the zones nearer, or set it to false"
        )
    return words


def models(site: Site) -> str:
    """Every listed file must be whole; the ones that may be used must count the golden picture."""
    manifest = manifest_of(site)
    chosen = site.counter.model
    entries = manifest.entries if chosen == "auto" else (manifest.named(chosen),)
    golden = read_picture(manifest.golden_picture)
    for entry in entries:
        counter = Counter(manifest, entry, site.counter.runtime, site.counter.threads)
        _judge_golden(entry, counter.count(golden).total().people)
    return f"{len(entries)} whole, each counts the golden picture right ({site.counter.runtime})"


def _judge_golden(entry: ModelEntry, found: float) -> None:
    allowed = max(0.5, GOLDEN_TOLERANCE * entry.golden_count)
    if abs(found - entry.golden_count) > allowed:
        raise ModelError(
            f"model {entry.name} counts {found:.1f} heads in the golden picture, must be "
            f"{entry.golden_count:.1f} +- {allowed:.1f}; this processor computes wrongly, or the "
            "runtime is another: reinstall redroad"
        )


def texts(site: Site) -> str:
    """Every page of every message must fit the panel."""
    sign = site.sign
    messages = list(MESSAGES.values())
    pages = [page for message in messages for page in pages_of(message, site)]
    letters = min(letter_height(page, sign.width, sign.height) for page in pages)
    return (
        f"{len(messages)} messages fit {sign.width}x{sign.height} LEDs{_legibility(sign, letters)}"
    )


def _legibility(sign: Sign, letters: int) -> str:
    """How the smallest letters (in LEDs) stand to the usual rule; LayoutError below it."""
    if sign.pixel_pitch_mm is None or sign.viewing_distance_m is None:
        return "; sign.pixel_pitch_mm and sign.viewing_distance_m would tell how legible they are"
    high = letters * sign.pixel_pitch_mm
    needed = LETTER_MM_PER_M * sign.viewing_distance_m
    if high < needed:
        raise LayoutError(
            f"the smallest letters are {high:.0f} mm high, must be {needed:.0f} mm to be read from "
            f"{sign.viewing_distance_m:g} m; use fewer sign.languages, or a larger panel"
        )
    return f"; the smallest letters are {high:.0f} mm high, {needed:.0f} are needed"


def clips(site: Site, paths: Paths) -> str:
    """All are there, and say what the site file says."""
    folder = clips_folder(site, paths)
    missing = lacking_clips(folder, phrases_of(site))
    if missing:
        raise VoiceError(
            f"{len(missing)} clips are missing in {folder}, or say other words than the site file, "
            f"first {missing[0]}.wav; run: redroad voice build (an installed unit: sudo systemctl "
            "restart redroad-voice)"
        )
    return f"all spoken warnings are in {folder}"


def broker(site: Site, status: Status | None = None) -> str:
    """It accepts our login, takes one message of each kind, and lets us receive commands.

    `status` is that of the unit which runs here, if one does.
    """
    if site.upstream.host is None:
        return "none is configured: everything waits in the outbox"
    where = f"{site.upstream.host}:{site.upstream.port}"
    try:
        tried = try_broker(site, status)
    except BrokerError as error:
        raise BrokerError(f"{where}: {error}") from error
    if tried.refused:
        raise BrokerError(_refusals(where, tried))
    lost = tried.limits.lost()
    heard = ", and lets us hear commands" if site.upstream.commands else ""
    return (
        f"{where} takes our messages, one on each of {len(tried.taken)} topics{heard}; "
        f"{_received(tried)}{'; ' + lost if lost else ''}"
    )


def _refusals(where: str, tried: Tried) -> str:
    """Every topic that is refused, those of one reason together."""
    reasons = sorted(set(tried.refused.values()))
    by_reason = [
        f"{', '.join(topic for topic, why in tried.refused.items() if why == reason)} ({reason})"
        for reason in reasons
    ]
    return (
        f"{where} refuses {'; '.join(by_reason)}; it takes {len(tried.taken)} of our "
        "topics; give this unit these permissions at the broker"
    )


def _received(tried: Tried) -> str:
    """Which of our own messages came back: only a broker that lets us read them can prove it."""
    kinds = [_kind(topic) for topic in tried.taken if topic in tried.heard]
    return f"heard back: {', '.join(dict.fromkeys(kinds)) or 'none, as we may read none of them'}"


def _kind(topic: str) -> str:
    if topic.startswith(f"{PREFIX}/"):
        return "discovery"
    return topic.split("/")[4]  # after redroad/v1/SITE/UNIT
