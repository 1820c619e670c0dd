"""Machinery of training-free scores: random networks, probed on noise, for several seeds."""
