"""`python -m hil.soak`."""

from hil.soak.soak import main

main()
