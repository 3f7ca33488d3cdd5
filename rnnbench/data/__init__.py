"""Where reviews come from: IMDB, the synthetic reviews, a file of one's own."""
