"""Where the variance of a response lies: between groups, explained, left over."""
