"""How bright the panel is: full by day, less at night, by the sun or by the clock.

Night luminance is limited by law in places; the site says what its panel may do. While the wall
clock was not set nobody knows whether it is night: then the panel is as bright as by day, since a
sign that cannot be read in sunlight warns nobody.
"""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from astral import Observer
from astral.sun import elevation
from PIL import Image

from edge.clock import between
from edge.site.schema import Identity, Sign

# Civil twilight ends with the sun so far below the horizon (degrees); street lamps are lit then.
NIGHT_BELOW = -6.0


def brightness_at(sign: Sign, site: Identity, now: datetime | None) -> int:
    """Per cent at a moment (with its time zone); None while the clock was not set."""
    if sign.night_brightness is None or now is None:
        return sign.brightness
    return sign.night_brightness if _is_night(sign, site, now) else sign.brightness


def dimmed(image: Image.Image, percent: int, full: int) -> Image.Image:
    """The image for a panel whose own brightness is `full` per cent."""
    if percent == full:
        return image
    return image.point([round(value * percent / full) for value in range(256)] * 3)


def _is_night(sign: Sign, site: Identity, now: datetime) -> bool:
    if sign.night_from is not None and sign.night_to is not None:
        local = now.astimezone(ZoneInfo(site.time_zone)).time()
        return between(
            time.fromisoformat(sign.night_from), time.fromisoformat(sign.night_to), local
        )
    if site.latitude is None or site.longitude is None:
        return False
    return elevation(Observer(site.latitude, site.longitude), now.astimezone(UTC)) < NIGHT_BELOW
