"""`python -m hil.control_room`."""

from hil.control_room.run import main

main()
