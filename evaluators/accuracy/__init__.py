"""How accurate a network may become: scores (training-free) and accuracies (trained). Every file is an evaluator."""
