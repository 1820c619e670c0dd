"""The numbers that a sampler learns from. They never change during a run: a resumed one asks the same questions."""

import math

from evaluators import Measurement
from evaluators.stopwatch.calibration import ratio_of


def comparable(measurement: Measurement) -> float:
    """The value: of a latency its first ratio, which no repeat and no constant of the device changes."""
    ratio = ratio_of(measurement)
    return math.exp(measurement.details.get("first_log_ratio", ratio.log)) if ratio else measurement.value
