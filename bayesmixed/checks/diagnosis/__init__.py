"""What is wrong with a fit, what it means, and what to do."""
