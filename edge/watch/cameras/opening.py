"""How FFmpeg is asked to open an address, and over which transport RTSP comes."""

import errno
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer

from edge.common.clock import boottime_ns
from edge.common.errors import PictureError
from edge.common.units import seconds
from edge.site.schema import StreamOptions
from edge.watch.address import Address
from edge.watch.cameras.learnt import NAMES, TRANSPORTS, Learnt
from edge.watch.video import open_file

# Without a guess at the frame rate, for which FFmpeg else waits for some 20 pictures.
AT_ONCE = {"fpsprobesize": "0"}
# RTSP describes itself: no picture has to be waited for to know what it is. FFmpeg would wait for
# seconds, and give what came meanwhile when it is that old.
DESCRIBED = {"probesize": "32", "analyzeduration": "1"}
# Of a camera that is slower than its timeout the next picture is waited for ever longer, up to:
LONGEST_S = 10.0
# Errors for which another transport is no remedy.
FINAL = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM}
LOGIN = (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError, av.error.HTTPNotFoundError)
LATE = (av.error.ExitError, TimeoutError)


class Opened(NamedTuple):
    """An open stream; `transport` is RTSP's, None of all others."""

    container: InputContainer
    transport: str | None


def open_stream(options: StreamOptions, address: Address, learnt: Learnt) -> Opened:
    """Open it; over RTSP by the transport that the site names, or by the first that works.

    av.FFmpegError as FFmpeg has it; PictureError when the camera offers no such transport.
    """
    if not address.is_rtsp:
        return Opened(_open(options, address, learnt, None), None)
    wanted = _in_turn(options, learnt)
    for transport in wanted:
        try:
            return Opened(_open(options, address, learnt, transport), transport)
        except LATE:
            learnt.silent, learnt.transport = transport, None
            raise
        except av.FFmpegError as error:
            if error.errno in FINAL or isinstance(error, LOGIN):
                raise
            if error.errno != errno.EPROTONOSUPPORT and transport == wanted[-1]:
                raise
    learnt.transport = None
    raise PictureError(_refused(options, address, learnt))


def ffmpeg_options(
    options: StreamOptions, address: Address, transport: str | None
) -> dict[str, str]:
    """Return the options given to FFmpeg besides the address."""
    if address.kind == "device":
        return usb_options(options)
    if transport is not None:
        return {"rtsp_transport": transport} | AT_ONCE | DESCRIBED
    return dict(AT_ONCE) if address.kind == "network" else {}


def usb_options(options: StreamOptions) -> dict[str, str]:
    """Return what a USB camera is asked for; without any of it, what it has as it stands."""
    asked = dict[str, str]()
    if options.input_format is not None:
        asked["input_format"] = {"yuyv": "yuyv422"}.get(options.input_format, options.input_format)
    if options.width is not None and options.height is not None:
        asked["video_size"] = f"{options.width}x{options.height}"
    if options.rate is not None:
        asked["framerate"] = f"{options.rate:g}"
    return asked


def timeouts_s(options: StreamOptions, learnt: Learnt) -> tuple[float, float]:
    """For how long opening may take, and each picture after it."""
    longest = (
        max(timeout_s, min(LONGEST_S, timeout_s * learnt.patience))
        for timeout_s in (options.open_timeout_s, options.read_timeout_s)
    )
    return next(longest), next(longest)


def _in_turn(options: StreamOptions, learnt: Learnt) -> tuple[str, ...]:
    if options.transport != "auto":
        return (options.transport,)
    if learnt.transport is not None:
        return (learnt.transport, *(one for one in TRANSPORTS if one != learnt.transport))
    return TRANSPORTS[::-1] if learnt.silent == TRANSPORTS[0] else TRANSPORTS


def _open(
    options: StreamOptions, address: Address, learnt: Learnt, transport: str | None
) -> InputContainer:
    if address.kind == "file":
        return open_file(Path(address.opened))
    timeouts = timeouts_s(options, learnt)
    began = boottime_ns()
    try:
        return av.open(
            address.opened,
            format="v4l2" if address.kind == "device" else None,
            options=ffmpeg_options(options, address, transport),
            timeout=timeouts,
        )
    except PermissionError as error:
        # FFmpeg's RTSP reports its own interruption as a meaningless error, which is this one's
        # number.
        if seconds(boottime_ns() - began) >= timeouts[0]:
            raise TimeoutError(error.errno, "timed out") from None
        raise


def _refused(options: StreamOptions, address: Address, learnt: Learnt) -> str:
    """Return what the camera offers instead of what it was asked for."""
    tried = TRANSPORTS if options.transport == "auto" else (options.transport,)
    asked = " nor ".join(NAMES[one] for one in tried)
    for other in (*TRANSPORTS, "udp_multicast"):
        if other not in tried and _works(options, address, learnt, other):
            if other in TRANSPORTS:
                remedy = f'set camera.transport = "{other}" or "auto"'
            else:
                remedy = "switch unicast on in the camera"
            neither = "neither " if len(tried) > 1 else "not "
            return f"is offered {neither}over {asked}, but over {NAMES[other]}; {remedy}"
    neither = "neither " if len(tried) > 1 else "not "
    return (
        f"is offered {neither}over {asked}, nor over any other transport; "
        "switch RTSP over TCP on in the camera"
    )


def _works(options: StreamOptions, address: Address, learnt: Learnt, transport: str) -> bool:
    try:
        _open(options, address, learnt, transport).close()
    except (av.FFmpegError, OSError):
        return False
    return True
