"""What may be written to a terminal, a pipe or a file, and how."""
