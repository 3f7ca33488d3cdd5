"""The one writer to MLflow: publishes what the ledger holds."""
