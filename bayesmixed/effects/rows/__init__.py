"""Which rows an effect is evaluated at, and what their columns are."""
