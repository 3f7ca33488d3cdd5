"""Networks of the user's own: a function in a file or a notebook cell, read and carried out."""
