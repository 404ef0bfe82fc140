"""The mathematics of the marginal likelihood, free of tables and printing."""
