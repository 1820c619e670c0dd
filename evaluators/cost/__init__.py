"""Exact counts, which are instant and therefore gate everything slow. Every file is an evaluator."""
