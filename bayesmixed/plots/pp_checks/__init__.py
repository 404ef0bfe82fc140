"""The kinds of picture of a predictive check."""
