"""Parameter values, and what parameters are called."""
