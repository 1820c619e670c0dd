"""Intervals and rank correlations: what may be concluded from the numbers."""
