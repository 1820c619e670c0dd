"""What every evaluator is made of: its base class, measurements, locations, locks on devices, scratch files."""
