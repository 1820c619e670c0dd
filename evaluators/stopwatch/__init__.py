"""Timing that a drifting machine does not spoil: rounds with references, and the constant of a device."""
