"""Estimates and tests: arrays and a generator in, numbers out."""
