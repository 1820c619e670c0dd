"""Machinery that every package may use: errors, files, strict texts, and the discovery of plug-ins."""
