"""Data sets of images with labels: folders, Hugging Face's sets, digits and a synthetic set, split by one rule."""
