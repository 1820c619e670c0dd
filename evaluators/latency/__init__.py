"""Measured latency, one run-time a file. Every file is an evaluator."""
