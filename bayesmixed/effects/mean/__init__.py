"""The mean of the response as a function of the coefficients, with its derivatives."""
