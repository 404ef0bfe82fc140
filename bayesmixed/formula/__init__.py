"""Formula text and a table become a Design: arrays with names."""
