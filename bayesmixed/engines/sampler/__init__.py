"""NumPyro's NUTS: start, metric, chains side by side, and whether the draws can be trusted."""
