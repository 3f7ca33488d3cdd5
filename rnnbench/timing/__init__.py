"""One arm in a fresh process → one measurement: what a step costs, and which kernel ran."""
