"""What blocks do to images in a network with weights: the frequencies of their features, how far attention reaches."""
