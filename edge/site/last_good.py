"""The last site file that was right: a mistake in a new one leaves no dark sign, and no silence."""

import contextlib
from pathlib import Path

from edge.common.atomic_write import atomic_write
from edge.common.errors import SiteError
from edge.site.load import load_site
from edge.site.schema import Site

FILE = "site.toml"


def load_or_kept(path: Path | None, state: Path) -> tuple[Site, str]:
    """The site of the file at `path`, which is kept in `state`; no mistake.

    Of a file that cannot be used the mistakes, and the site that was kept before; SiteError when
    none was.
    """
    kept = state / FILE
    try:
        site = load_site(path)
    except SiteError as error:
        if path is None or not kept.exists():
            raise
        return load_site(kept).in_folder(path.resolve().parent), str(error)
    if path is not None:
        _keep(path, kept)
    return site, ""


def _keep(path: Path, kept: Path) -> None:
    """A disk that refuses is reported by the programs that need it."""
    with contextlib.suppress(OSError):
        text = path.read_bytes()
        if not kept.exists() or kept.read_bytes() != text:
            kept.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(kept, text, lasting=True, mode=0o600)  # passwords may stand in it
