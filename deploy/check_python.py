"""Says plainly which Python is needed, before anything is installed."""

import importlib.util
import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(
        f"redroad needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}. "
        "Choose another: make PYTHON=/usr/bin/python3.11 ..."
    )
if importlib.util.find_spec("ensurepip") is None:
    sys.exit("redroad needs Python's venv module. Please run: sudo apt-get install python3-venv")
