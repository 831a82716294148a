"""Decides: Sightings become densities, levels and Orders. The core is pure."""
