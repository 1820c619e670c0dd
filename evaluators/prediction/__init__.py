"""Accuracy and latency predicted from features of a network, with intervals and held-out errors."""
