"""Architectures for the eye: the glyph of a block sequence, as text."""

from search_spaces import Architecture

TALL, FLAT = "▌", "▖"  # one mark per block: a transformer stands tall, a convolution lies flat


def glyph(architecture: Architecture) -> str:
    """One mark per block, stages apart: `▖▖▖ ▖▖▖▌ ...`."""
    marks = {"C": FLAT, "T": TALL}
    return " ".join("".join(marks[kind] for kind in stage.blocks) for stage in architecture.stages)
