"""Pictures that a decoder has made up in part, because data was lost on the way.

FFmpeg hides what is missing by what it guesses, and every later picture is built on that one,
until one comes that stands by itself. Nothing in such a smeared picture is to be counted.
"""

import av

# A stream that refreshes its pictures stripe by stripe has none that stands by itself: it is whole
# again after so many (a refresh takes seconds).
HEALED_AFTER = 300
# Decoders hold back some pictures. Where they give no time, one of these may be from before.
HELD_BACK = 16


class Smear:
    """Follows the packets and pictures of one stream; counts the smeared ones."""

    def __init__(self) -> None:
        self.pictures = 0
        self._is_smeared = False
        self._damaged_at: int | None = None
        self._since = 0

    def damaged(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Note a packet that has lost some of its data, or that could not be decoded."""
        self._is_smeared, self._since = True, 0
        self._damaged_at = packet.pts

    def is_on(self, picture: av.VideoFrame) -> bool:
        """Return whether this picture, the next one decoded, is smeared."""
        self._since += 1
        if picture.is_corrupt:
            self._is_smeared, self._since, self._damaged_at = True, 0, picture.pts
        elif self._is_smeared and (self._is_fresh(picture) or self._since > HEALED_AFTER):
            self._is_smeared = False
        self.pictures += self._is_smeared
        return self._is_smeared

    def _is_fresh(self, picture: av.VideoFrame) -> bool:
        """Return whether it stands by itself, and is from after the damage."""
        if not picture.key_frame:
            return False
        if picture.pts is None or self._damaged_at is None:
            return self._since > HELD_BACK
        return picture.pts > self._damaged_at
