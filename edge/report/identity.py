"""What this unit is called by brokers and Home Assistant. Pure.

Names are of a-z, 0-9 and hyphens, so what stands between two of them must be something else: with
hyphens the units `hongdae/crossing-1` and `hongdae-crossing/1` would be one client and one device.
Home Assistant allows letters, digits, "_" and "-" in its topics, which leaves the underscore.
"""

from edge.site import Site


def device_id(site: Site) -> str:
    """Return the unit's name as one word, unique among units."""
    return f"redroad_{site.site.name}_{site.site.unit}"


def client_id_of(site: Site) -> str:
    """Return the MQTT client's name: another of this name takes the unit's place at the broker."""
    return device_id(site)
