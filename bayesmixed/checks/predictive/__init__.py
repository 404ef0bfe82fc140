"""Whether a fitted model gives data like those observed."""
