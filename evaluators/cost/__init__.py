"""Exact counts: instant, and the gates before anything slow. Every file is an evaluator."""
