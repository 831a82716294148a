"""`python -m edge` is `redroad`."""

from edge.cli import main

main()
