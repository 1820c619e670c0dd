"""What samplers need of a run: its trials as they are told, its anchors, and help for some of Optuna's samplers."""
