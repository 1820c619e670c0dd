"""Images with labels: folders, Hugging Face's sets, digits and a synthetic set, read and split by one rule."""
