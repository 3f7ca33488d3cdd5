"""The commands: parse, call one workflow, choose the exit code."""

from rnnbench.cli.main import main

__all__ = ["main"]
