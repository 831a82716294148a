"""A file of `watch` that outlasts a restart: read, written and removed whole."""

from pathlib import Path

from edge.common.atomic_write import atomic_write
from edge.common.errors import ViewError


def read_state(path: Path, remedy: str) -> bytes | None:
    """What is in it, or None where there is none; ViewError, with what to do, if not readable."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ViewError(f"{path} cannot be read ({error.strerror}); {remedy}") from error


def write_state(path: Path, data: bytes) -> None:
    """Keep this; ViewError when the disk does not take it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, data, lasting=True)
    except OSError as error:
        raise ViewError(
            f"{path} cannot be written ({error.strerror}); free or repair that disk"
        ) from error


def remove_state(path: Path) -> bool:
    """Remove it; False where there was none. ViewError when the disk refuses."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ViewError(f"{path} cannot be removed ({error.strerror}); use sudo") from error
    return True
