"""The numbers that other people print: beside ours, and reproduced."""
