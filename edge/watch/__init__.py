"""Sees: camera frames become Sightings here, and end here."""
