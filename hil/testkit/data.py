"""Pictures that may not be in the repository: found by REDROAD_DATA alone.

REDROAD_DATA names the folder of the labelled sets (form: top of `models/pictures.py`). Beside it
lie the clip `one-by-one-person-detection.mp4` of Intel's sample videos, and two folders above it
`reference/schemas/` with the JSON Schemas of FIWARE's Smart Data Models.
"""

import os
from pathlib import Path

import pytest

_NOWHERE = Path("/nonexistent/REDROAD_DATA-is-not-set")
HEADS = Path(os.environ.get("REDROAD_DATA", _NOWHERE))
CLIP = HEADS.parent / "one-by-one-person-detection.mp4"
SCHEMAS = HEADS.parents[1] / "reference" / "schemas"


def needs(path: Path) -> pytest.MarkDecorator:
    """Skip, saying how to get it, where data that may not be in the repository is missing."""
    return pytest.mark.skipif(
        not path.exists(),
        reason=f"{path.name} is missing: set REDROAD_DATA to the folder of the labelled sets, "
        "as models/README.md describes it",
    )
