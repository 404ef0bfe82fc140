"""Fits on the boundary: which directions vanish, what that costs, and what simpler model says the same."""
