"""The runs of a study against each other: sections, arms, pairs, uncertainty, and the answer."""
