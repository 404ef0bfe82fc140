"""Whether an engine gives the posterior that it says it gives."""
