"""What a training step costs, compared arms side by side: command, sessions, report."""
