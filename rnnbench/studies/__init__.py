"""From a TOML file and options to trained, tracked runs."""
