"""What others have published: facts with sources, where this device stands beside them, and claims they settle."""
