"""What every test needs: Optuna without its greeting."""

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
