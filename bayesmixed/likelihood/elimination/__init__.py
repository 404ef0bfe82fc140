"""Eliminating random effects: one factor in closed form, the tail by dense or multifrontal factorisation."""
