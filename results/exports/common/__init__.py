"""Machinery that the formats share."""
