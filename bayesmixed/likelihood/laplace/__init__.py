"""Marginal likelihoods of generalized linear mixed models: Laplace's approximation and adaptive quadrature."""
