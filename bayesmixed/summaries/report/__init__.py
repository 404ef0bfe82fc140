"""A fit in sentences, as a paper needs them."""
