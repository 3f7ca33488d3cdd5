"""Search spaces, and Optuna's way through them."""
