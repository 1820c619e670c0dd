"""Networks of other families, which timm builds: described as data like our own, and built when they are needed."""
