"""Power by simulation: designs of other sizes, responses of stated parameters, and tests of each."""
