"""What an expression of a formula computes: the language's functions, and nothing else of Python."""
