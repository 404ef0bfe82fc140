"""The topics, a file for each area."""
