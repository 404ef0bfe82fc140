"""One answer in words or a short table from a whole fit: shares of variance, pooling, the written report."""
