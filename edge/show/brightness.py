"""How bright the panel is: full by day, less at night, by a light sensor, the sun or the clock.

Some cities limit luminance at night; the site file sets what its panel may do. While the wall clock
was not set it may be day: then the panel is as bright as by day, since a sign that cannot be read
in sunlight warns nobody.
"""

import math
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from astral import Observer
from astral.sun import elevation
from PIL import Image

from edge.common.clock import between
from edge.site.outputs import Sign
from edge.site.schema import Identity

# Civil twilight ends with the sun so far below the horizon (degrees); street lamps are lit then.
NIGHT_BELOW = -6.0
# A street by its lamps, and in the shade by day: the eye follows light by its logarithm.
STREET_LUX = (20.0, 5000.0)
STEPS = 10  # so that the panel does not change with every reading


def brightness_at(
    sign: Sign, site: Identity, now: datetime | None, lux: float | None = None
) -> int:
    """Return the panel's brightness in per cent.

    `now` has a time zone, and is None while the clock was not set. With a sensor (`lux`) it follows
    the street's light between the two brightnesses of the site file. At night the lower one is the
    limit, even where a lamp shines on the sensor.
    """
    if sign.night_brightness is None:
        return sign.brightness
    if now is not None and _is_night(sign, site, now):
        return sign.night_brightness
    if lux is None:
        return sign.brightness
    dark, bright = (math.log(value) for value in STREET_LUX)
    share = (math.log(max(lux, 1e-3)) - dark) / (bright - dark)
    between_them = sign.brightness - sign.night_brightness
    steps = round(min(1.0, max(0.0, share)) * STEPS)
    return sign.night_brightness + round(between_them * steps / STEPS)


def dimmed(image: Image.Image, percent: int, full: int) -> Image.Image:
    """Return the image at `percent` of brightness for a panel that is set to `full` per cent."""
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
