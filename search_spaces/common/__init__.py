"""Machinery that every package may use: errors and the discovery of plug-ins."""
