"""Adaptive Gauss-Hermite quadrature: integrals beyond the Laplace approximation."""
