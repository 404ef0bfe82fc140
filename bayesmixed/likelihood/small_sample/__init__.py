"""What small samples do to linear mixed models: how well the covariance of the coefficients is known."""
