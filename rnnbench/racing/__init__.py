"""A short race that chooses a study's settings on texts of the user's own, by validation alone."""
