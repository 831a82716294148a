"""`redroad voice build`: every spoken warning as a WAV file, made and checked ahead of time."""

from collections.abc import Callable

from edge.common.program import Paths
from edge.show.clips import build_clips, lacking_clips
from edge.show.parts import clips_folder
from edge.site import Site
from edge.site.overrides import phrases_of


def build_voice(
    site: Site, paths: Paths, progress: Callable[[str], None], *, missing: bool
) -> None:
    """Make the site's clips; `progress` gets a line for each.

    `paths` are those of show. With `missing`, only when a clip is missing or its words have
    changed. VoiceError names the clips that could not be made.
    """
    folder, phrases = clips_folder(site, paths), phrases_of(site)
    if missing and not lacking_clips(folder, phrases):
        return
    recordings = site.path(site.voice.recordings) if site.voice.recordings else None
    build_clips(folder, phrases, lambda made: progress(made.as_text()), recordings)
