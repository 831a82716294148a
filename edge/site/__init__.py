"""The site file: what this unit is, sees, decides, shows and reports."""

from edge.site.load import load_site
from edge.site.schema import Site

__all__ = ["Site", "load_site"]
