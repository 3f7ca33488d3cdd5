"""What a training step costs, an arm in a process of its own: command, sessions, report."""
