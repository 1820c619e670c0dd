"""The result of `nas mechanism`: frequencies of features and attention distances by block, and the page."""
