"""JPEGs whose data was damaged on the way.

Pillow's decoder fills up what does not fit together, and reports nothing: a sector of zeros, a copy
made in text mode or a lost piece leaves most of a street grey. FFmpeg's reports it, and at an
eighth of the size it is quick.
"""

import av
from av.video.codeccontext import VideoCodecContext
from PIL.JpegImagePlugin import JpegImageFile

STRICT = {"err_detect": "explode"}  # of FFmpeg's decoder of JPEG: refuse what it would fill up
_QUICK = {"lowres": "3"}  # as a power of two


def refuse_damaged(image: JpegImageFile) -> None:
    """ValueError when its data, not decoded yet, does not fit together."""
    file = image.fp
    if file is None or not image.tile:
        return  # it was decoded already
    file.seek(image.tile[0].offset)  # that is not 0 of the second picture in a file
    decoder = av.CodecContext.create("mjpeg", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    decoder.options = STRICT | _QUICK
    try:
        decoder.decode(av.Packet(file.read()))
    except av.InvalidDataError:
        raise ValueError("its data does not fit together") from None
    except av.FFmpegError:
        return  # a kind that only Pillow knows
