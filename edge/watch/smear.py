"""Pictures that a decoder has made up in part, because data was lost on the way.

FFmpeg hides what is missing by what it guesses, and every later picture is built on that one,
until one comes that stands by itself. Nothing in such a smeared picture is to be counted.
"""

import av
from av.video.frame import PictureType

# A stream that refreshes its pictures stripe by stripe has none that stands by itself. It says
# where a refresh begins (a recovery point, which FFmpeg marks as a key frame): whole again at the
# one after that, or, where it says nothing, after so many pictures (a refresh takes seconds).
REFRESHES, HEALED_AFTER = 2, 300
# Decoders hold back some pictures. One that does not say of which packet it is may be from before.
HELD_BACK = 16
BUILT_ON_OTHERS = (PictureType.P, PictureType.B, PictureType.S, PictureType.SP)


class Smear:
    """Follows the packets and pictures of one stream; counts the smeared ones.

    Packets are numbered in their order, and each picture says of which packet it is (`opaque`):
    times tell nothing where a recording's clock starts again.
    """

    def __init__(self) -> None:
        self.pictures = 0
        self._is_smeared = False
        self._damaged = -1
        self._since = 0
        self._refreshes = 0

    def damaged(self, packet: int) -> None:
        """Note the number of a packet that has lost data, or that could not be decoded."""
        self._is_smeared, self._since, self._refreshes = True, 0, 0
        self._damaged = packet

    def is_on(self, picture: av.VideoFrame) -> bool:
        """Return whether this picture, the next one decoded, is smeared."""
        self._since += 1
        if picture.is_corrupt:
            number = _packet_of(picture)
            self.damaged(self._damaged if number is None else number)
        elif self._is_smeared and (self._is_whole(picture) or self._since > HEALED_AFTER):
            self._is_smeared = False
        self.pictures += self._is_smeared
        return self._is_smeared

    def _is_whole(self, picture: av.VideoFrame) -> bool:
        """Return whether it depends on nothing from before the damage was over."""
        number = _packet_of(picture)
        is_after = self._since > HELD_BACK if number is None else number > self._damaged
        if not picture.key_frame or not is_after:
            return False
        if picture.pict_type not in BUILT_ON_OTHERS:
            return True
        self._refreshes += 1
        return self._refreshes >= REFRESHES


def _packet_of(picture: av.VideoFrame) -> int | None:
    """The number of the packet that it was in; None from decoders that do not say."""
    return picture.opaque if isinstance(picture.opaque, int) else None
