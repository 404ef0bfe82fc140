"""How the columns of a term are made: factors and their contrasts, products, ranks and sizes."""
