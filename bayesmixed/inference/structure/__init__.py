"""The structure of the random effects: the largest that a design supports, and what the data leave of it."""
