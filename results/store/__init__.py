"""The database: runs and measurements, written once, checked when read, and merged."""
