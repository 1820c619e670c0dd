"""Accuracies (trained or predicted) and training-free scores. Every file is an evaluator."""
