"""The names of the simulated street's scenarios; `edge/street/scenarios.py` plays them."""

import difflib

SCENARIOS = (
    "morning", "evening", "surge", "jam", "streams", "parade", "knocked", "covered", "glare",
    "fog", "rain", "umbrellas", "hats", "autumn", "illuminations", "infrared",
)  # fmt: skip


def known_scenario(name: str) -> str:
    """The name, if it is one; ValueError names the nearest."""
    if name in SCENARIOS:
        return name
    near = difflib.get_close_matches(name, SCENARIOS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(SCENARIOS)}"
    raise ValueError(f"scenario {name!r} is unknown; {hint}")
