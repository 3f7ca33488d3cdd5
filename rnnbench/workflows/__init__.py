"""A short pipeline for each command."""
