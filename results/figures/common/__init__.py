"""What the figures share: their style, the shape of a network in numbers, and how the page shows a figure."""
