"""Pictures of an H.264 stream that never came.

Every reference picture has a number (frame_num; ITU-T H.264, 7.4.3) one above that of the reference
picture before it. Where one is missing FFmpeg shows a copy of the one before, builds on it what
follows, and reports nothing. None of its libraries gives the number away, so it is read here: it
stands in the first bits of each picture, its size in the parameter sets.
"""

from collections.abc import Iterator

from edge.watch.nal import units

IDR, SLICE, PARAMETERS, PICTURE_PARAMETERS = 5, 1, 7, 8  # types of NAL units
_HEAD = 24  # bytes of a picture, of which the number is well within the first
# Profiles whose parameter sets also say how colours are sampled.
_HIGH = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_TWELVE_LISTS_IF = 3  # chroma_format_idc of 4:4:4


class FrameGap:
    """Follows the numbers of one stream's pictures, packet by packet.

    Streams whose parameters allow gaps, such as those of several layers, are not judged.
    """

    def __init__(self, extradata: bytes | None) -> None:
        self._length_size = 0  # of each unit's length before it; 0: start codes
        self._number_bits: dict[int, int] = {}  # by parameter set; 0 where gaps are allowed
        self._separate: dict[int, bool] = {}  # whether its colours are coded apart
        self._set_of: dict[int, int] = {}  # the parameter set of a picture parameter set
        self._last: int | None = None
        extradata = extradata or b""
        if extradata[:1] == b"\1" and len(extradata) > 6:
            self._length_size = (extradata[4] & 3) + 1
            known = _listed(extradata)
        else:
            known = units(extradata, 0)
        for unit in known:
            self._learn(unit)

    def is_before(self, packet: bytes) -> bool:
        """Return whether a reference picture is missing between the last packet and this one."""
        for unit in units(packet, self._length_size):
            if unit[0] & 31 in {IDR, SLICE}:
                return self._follow(unit)
            self._learn(unit)
        return False

    def _learn(self, unit: bytes) -> None:
        kind = unit[0] & 31
        try:
            if kind == PARAMETERS:
                self._learn_parameters(_Bits(unit[1:]))
            elif kind == PICTURE_PARAMETERS:
                bits = _Bits(unit[1:_HEAD])
                picture_set = bits.number()
                self._set_of[picture_set] = bits.number()
        except EOFError:  # damaged: the decoder says so
            return

    def _learn_parameters(self, bits: "_Bits") -> None:
        profile = bits.read(24) >> 16
        name, separate = bits.number(), False
        if profile in _HIGH:
            separate = _skip_colours(bits)
        number_bits = bits.number() + 4
        _skip_order(bits)
        bits.number()  # how many pictures are kept
        gaps_allowed = bits.read(1)
        self._number_bits[name] = 0 if gaps_allowed else number_bits
        self._separate[name] = separate

    def _follow(self, unit: bytes) -> bool:
        is_reference, before = unit[0] & 0x60, self._last
        try:
            number, size = self._number(_Bits(unit[1:_HEAD]))
        except (EOFError, KeyError):  # its parameters are not known
            self._last = None
            return False
        if is_reference:
            self._last = number
        if before is None or unit[0] & 31 == IDR or not size:
            return False
        return number not in {before, (before + 1) % size}

    def _number(self, bits: "_Bits") -> tuple[int, int]:
        """The picture's number and how many there are; 0 where it says nothing."""
        bits.number()  # its first block
        bits.number()  # its kind
        name = self._set_of[bits.number()]
        if self._separate[name]:
            bits.read(2)
        size = self._number_bits[name]
        return (bits.read(size), 1 << size) if size else (0, 0)


class _Bits:
    """Reads the bits of a NAL unit; EOFError at its end."""

    def __init__(self, unit: bytes) -> None:
        payload = unit.replace(b"\0\0\3", b"\0\0")
        self._bits = int.from_bytes(payload)
        self._left = 8 * len(payload)

    def read(self, count: int) -> int:
        """The next `count` bits as a number."""
        if count > self._left:
            raise EOFError
        self._left -= count
        return self._bits >> self._left & ((1 << count) - 1)

    def number(self) -> int:
        """An Exp-Golomb code without sign; one with sign is as long."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)


def _skip_colours(bits: _Bits) -> bool:
    """From the colours' sampling to the scaling lists; returns whether colours are coded apart."""
    sampling = bits.number()
    separate = sampling == _TWELVE_LISTS_IF and bits.read(1) == 1
    bits.number()  # depth of brightness
    bits.number()  # depth of colours
    bits.read(1)
    if bits.read(1):
        for index in range(12 if sampling == _TWELVE_LISTS_IF else 8):
            if bits.read(1):
                _skip_list(bits, 16 if index < 6 else 64)
    return separate


def _skip_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.number()
            following = (last + (-(code // 2) if code % 2 == 0 else (code + 1) // 2)) % 256
        last = following or last


def _skip_order(bits: _Bits) -> None:
    """How the order of showing is coded."""
    kind = bits.number()
    if kind == 0:
        bits.number()
    elif kind == 1:
        bits.read(1)
        bits.number()
        bits.number()
        for _ in range(bits.number()):
            bits.number()


def _listed(extradata: bytes) -> Iterator[bytes]:
    """The parameter sets in an MP4's or Matroska's description (avcC) of a stream."""
    at = 5
    for mask in (31, 255):
        count, at = extradata[at] & mask if at < len(extradata) else 0, at + 1
        for _ in range(count):
            ends = at + 2 + int.from_bytes(extradata[at : at + 2])
            if unit := extradata[at + 2 : ends]:
                yield unit
            at = ends
