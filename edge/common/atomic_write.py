"""Files that are whole: a reader finds the old content or the new, never a part of either."""

import contextlib
import os
import stat
from functools import lru_cache, partial
from pathlib import Path

NEW_MODE = 0o666  # less the umask


def atomic_write(path: Path, content: bytes, *, lasting: bool, mode: int = NEW_MODE) -> None:
    """Replace a file in one step; the old one stays until then, also if this process is killed.

    With `lasting`, also when the power goes. A file that stands keeps its owner and mode; a new one
    gets `mode`. OSError when the disk refuses; the old one stands then, and nothing is left over.
    """
    draft = _draft_of(path)
    try:
        with open(draft, "wb", opener=partial(os.open, mode=mode)) as file:
            _keep_owner_and_mode(path, file.fileno())
            file.write(content)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


@lru_cache(maxsize=8)  # some files are written every ten seconds: see edge/common/memory.py
def _draft_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _keep_owner_and_mode(path: Path, draft: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        stands, ours = path.stat(), os.fstat(draft)
        if (stands.st_uid, stands.st_gid) != (ours.st_uid, ours.st_gid):
            os.fchown(draft, stands.st_uid, stands.st_gid)
        os.fchmod(draft, stat.S_IMODE(stands.st_mode))
