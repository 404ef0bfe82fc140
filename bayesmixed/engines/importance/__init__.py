"""Weighted proposals of hyperparameters: where they come from, and whether they can be trusted."""
