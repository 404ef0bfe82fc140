"""Hypotheses about linear functions of the coefficients: as text, as numbers, tested or answered by draws."""
