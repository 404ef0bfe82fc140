"""What tests and limits of linear functions of the coefficients are referred to: normal, t and F distributions."""
