"""Exact counts of a network's size: by formula for the Next-ViT family, by fvcore's trace for any other network."""
