"""How loud a clip is, and making it as loud as all the others without clipping.

Loudness is the level of its speech alone: the mean power of blocks of 0.4 s that are not quieter
than 10 below the mean of all that are no silence, as EBU R 128 gates them, in dB of full scale.
No weighting by frequency: a horn loudspeaker has one of its own.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Samples = NDArray[np.float64]

TARGET_DB = -16.0
PEAK_DB = -1.0
BLOCK_S, STEP_S = 0.4, 0.1
SILENCE_DB, GATE_DB = -60.0, 10.0
LOOK_S = 0.004  # how far ahead of a peak the limiter gives way
ROUNDS = 6  # limiting takes loudness away, which the next round makes up for


def decibel(amplitude: float) -> float:
    """Return an amplitude (1: full scale) as a level in dB; silence is at -180."""
    return 20 * float(np.log10(max(amplitude, 1e-9)))


def loudness_db(samples: Samples, rate: int) -> float:
    """Return the loudness (dB of full scale) of speech, -1 to 1, shape (samples,); `rate` in Hz."""
    block, step = round(BLOCK_S * rate), round(STEP_S * rate)
    padded = np.pad(samples, (0, max(0, block - len(samples))))
    power = np.mean(sliding_window_view(padded, block)[::step] ** 2, axis=1)
    power = power[power > 10 ** (SILENCE_DB / 10)]
    if not power.size:
        return decibel(0.0)
    gate = power.mean() / 10 ** (GATE_DB / 10)
    return decibel(float(np.sqrt(power[power >= gate].mean())))


def levelled(samples: Samples, rate: int) -> Samples:
    """Return the same speech at TARGET_DB, as nearly as its peaks allow; none is above PEAK_DB."""
    gain = 1.0
    limited = samples
    for _ in range(ROUNDS):
        gain *= 10 ** ((TARGET_DB - loudness_db(limited, rate)) / 20)
        limited = _limited(samples * gain, round(LOOK_S * rate))
    return limited


def _limited(samples: Samples, look: int) -> Samples:
    """The samples turned down smoothly around every peak.

    The gain at a sample is a mean of minima that all reach over it, so it is never too high.
    """
    peak = 10 ** (PEAK_DB / 20)
    width = 2 * look + 1
    allowed = np.minimum(1.0, peak / np.maximum(np.abs(samples), 1e-9))
    lowest = sliding_window_view(np.pad(allowed, 2 * look, mode="edge"), width).min(axis=1)
    smooth = np.convolve(lowest, np.full(width, 1 / width), mode="valid")
    return np.asarray(samples * smooth)
