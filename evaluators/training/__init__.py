"""Networks are trained: briefly to compare them, or fully by a recipe, resumable, on several devices."""
