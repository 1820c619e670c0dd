"""What samplers need of a run: its trials as they are told, and Optuna's samplers where they need our help."""
