"""Every promise of hil/faults.py, held by real processes."""

from pathlib import Path

import pytest

from hil.faults import CASES, FAKETIME


@pytest.mark.processes
@pytest.mark.parametrize("name", CASES)
def test_a_fault_stays_within_what_was_promised(name: str, tmp_path: Path) -> None:
    if "clock" in name and FAKETIME is None:
        pytest.skip("Debian's faketime is not installed")
    assert CASES[name](tmp_path).broken == []
