"""`python -m hil.stale_levels`."""

from hil.stale_levels.stale_levels import main

main()
