"""Slices of an H.265 picture that never came.

Where a picture is sent in several slices and one of them is lost as a whole, FFmpeg leaves its
place as it was in some earlier picture, and reports nothing.
"""

from edge.watch.nal import units

ABOVE_SLICES = 32  # the types of NAL units below this are slices
# An encoder that has sent as many slices with each of so many pictures always does. One that ends
# a slice at so many bytes soon shows that it does not, and is not judged.
LEARNT_FROM = 20


class SliceGap:
    """Follows how many slices the pictures of one stream have."""

    def __init__(self, extradata: bytes | None) -> None:
        extradata = extradata or b""
        described = extradata[:1] == b"\1" and len(extradata) > 21
        # Of each unit's length before it, by a file's description (hvcC); 0: start codes.
        self._length_size = (extradata[21] & 3) + 1 if described else 0
        self._usual = 0
        self._pictures = 0
        self._varies = False

    def is_in(self, packet: bytes) -> bool:
        """Return whether the picture in this packet, the next one, has fewer slices than all."""
        if self._varies:
            return False
        slices = sum(unit[0] >> 1 & 63 < ABOVE_SLICES for unit in units(packet, self._length_size))
        self._usual = self._usual or slices
        learnt = self._pictures >= LEARNT_FROM
        self._pictures += 1
        self._varies = slices > self._usual or (slices < self._usual and not learnt)
        return learnt and slices < self._usual
