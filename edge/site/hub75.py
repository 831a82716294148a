"""Which GPIO pins a HUB75 panel takes, after rpi-rgb-led-matrix (its lib/hardware-mapping.c)."""

_REGULAR = frozenset({4, 7, 8, 9, 10, 11, 15, 17, 18, 22, 23, 24, 25, 27})
_SECOND, _THIRD = frozenset({5, 6, 12, 13, 19, 20}), frozenset({2, 3, 14, 16, 21, 26})
_HAT = frozenset({5, 6, 12, 13, 16, 17, 20, 21, 22, 23, 24, 26, 27})

# By sign.hardware_mapping, those of one chain, and of each further one in parallel.
PINS = {
    "regular": (_REGULAR, _SECOND, _THIRD),
    "adafruit-hat": (_HAT | {4},),
    "adafruit-hat-pwm": (_HAT | {18},),
}


def panel_pins(mapping: str, chains: int) -> frozenset[int]:
    """The pins of a panel of so many parallel chains; none where its adapter is not listed."""
    return frozenset().union(*PINS.get(mapping, ())[:chains])
