"""What a fit says of the response: marginal means and their contrasts, comparisons, slopes, thresholds, ratios."""
