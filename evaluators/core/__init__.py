"""What every evaluator is made of: its base class, measurements, places where it runs, locks on devices, scratch files."""
