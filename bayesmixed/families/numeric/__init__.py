"""What densities are computed with."""
