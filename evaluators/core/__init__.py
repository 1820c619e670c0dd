"""What every evaluator is made of: base class, measurements, locations, locks on devices, temporary files."""
