"""What a search minimises: each criterion is a function of coordinates that says what they mean."""
