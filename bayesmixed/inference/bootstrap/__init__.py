"""The bootstrap: replicates of a fit, what they say of its errors, and likelihood-ratio tests by simulation."""
