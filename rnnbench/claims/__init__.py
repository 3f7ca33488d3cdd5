"""What the study notes conclude, judged by runs and timings."""
