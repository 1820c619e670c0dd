"""Timing that can be believed: samples until an interval is narrow, and how noisy a machine is."""
