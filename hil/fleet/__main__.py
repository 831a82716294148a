"""`python -m hil.fleet`."""

from hil.fleet.fleet import main

main()
