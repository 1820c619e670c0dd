"""Training: short, to compare networks, or full, by a recipe, resumable and on several devices."""
