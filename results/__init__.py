"""What we know: the store of runs and measurements, the front among them, its figures, and export."""
