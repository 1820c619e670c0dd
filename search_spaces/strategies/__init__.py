"""Hybrid strategies by name: where the transformer blocks of a network stand, at any depth and width."""
