"""The pieces (NAL units) in which H.264 and H.265 are sent: parameter sets, slices and others."""

from collections.abc import Iterator

_START = b"\0\0\1"


def units(data: bytes, length_size: int) -> Iterator[bytes]:
    """The NAL units of a packet, each with a first byte at least."""
    if length_size:
        at = 0
        while at + length_size < len(data):
            ends = at + length_size + int.from_bytes(data[at : at + length_size])
            yield data[at + length_size : max(ends, at + length_size + 1)]
            at = max(ends, at + length_size + 1)
        return
    start = data.find(_START)
    while start >= 0:
        start += len(_START)
        following = data.find(_START, start)
        if unit := data[start : following if following >= 0 else len(data)]:
            yield unit
        start = following
