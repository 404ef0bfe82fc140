"""Predictions, simulations and residuals from parameter values."""
