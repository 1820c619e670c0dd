"""The frequencies of feature maps: relative log amplitudes, and the share of high frequencies.

Frequencies are those of the map, in units of pi per position: 1 is the highest that positions can carry, a cycle in two
of them. The same frequency is therefore finer in the image in stage 1 than in stage 4. Maps, and the amplitudes of
their Fourier transform, are (B, C, S, S): B images, C channels, S positions a side.
"""

import torch
from torch import Tensor

SMALLEST = 4  # positions a side: a smaller map has no frequency between 0 and the highest
HIGH = 0.5  # the frequency above which one is high
PRECISION = 1e-6  # of an image's largest amplitude: fp32 tells nothing smaller


def amplitudes(maps: Tensor) -> Tensor:
    """The amplitudes of the two-dimensional Fourier transform of each channel, frequency 0 first."""
    transform: Tensor = torch.fft.fft2(maps.double())
    return transform.abs()


def frequencies(side: int) -> tuple[float, ...]:
    """The frequencies at which `log_amplitudes` has values, from 0 to below 1."""
    return tuple(2 * number / side for number in range((side + 1) // 2))


def log_amplitudes(amplitudes: Tensor) -> Tensor:
    """How much weaker than the mean of a map each of `frequencies` is: (B, F), natural logarithms, the first one 0.

    It is the logarithm of the amplitude, averaged over the channels, along the diagonal, less its value at frequency 0
    (Park and Kim, arXiv 2202.06709, and their code). White noise is flat at ln(2) / 2: at frequency 0 its transform is
    a real number and elsewhere a complex one, whose logarithm is that much larger on average.
    """
    least = PRECISION * amplitudes.amax((1, 2, 3), keepdim=True)
    logs = amplitudes.clamp_min(least).clamp_min(torch.finfo(torch.double).tiny).log().mean(1)  # (B, S, S)
    diagonal = logs.diagonal(dim1=1, dim2=2)[:, : len(frequencies(amplitudes.shape[-1]))]
    return diagonal - diagonal[:, :1]


def high_shares(amplitudes: Tensor) -> Tensor:
    """The share of high frequencies, from 0 to 1, in what varies over the positions of each map: (B,).

    It is a share of power, that is of squared amplitude, over all channels. High is a frequency whose distance from 0
    in the plane of both directions exceeds `HIGH`; a channel's mean, which carries no position, does not count. A
    map that is the same everywhere has none.
    """
    power = amplitudes.square().sum(1)  # (B, S, S)
    constant = power[:, 0, 0].clone()
    power[:, 0, 0] = 0
    varying = power.sum((1, 2))
    share = power[:, _is_high(amplitudes.shape[-1])].sum(1) / varying.clamp_min(torch.finfo(torch.double).tiny)
    return torch.where(varying > PRECISION**2 * constant, share, 0.0)


def white_share(side: int) -> float:
    """What `high_shares` expects of white noise, whose power is the same at all frequencies."""
    return int(_is_high(side).sum()) / (side**2 - 1)


def _is_high(side: int) -> Tensor:
    """Which entries (S, S) of a Fourier transform have a high frequency."""
    axis = 2 * torch.fft.fftfreq(side, dtype=torch.double)
    return torch.hypot(axis[:, None], axis[None, :]) > HIGH
