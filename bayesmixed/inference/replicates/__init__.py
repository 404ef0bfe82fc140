"""Many data sets of one design, each fitted again: where they come from, how they are fitted, what is kept."""
