"""Accuracy and latency predicted from features of a network, with an interval and a held-out error."""
