"""Where runs are carried out: specs in, events out."""
