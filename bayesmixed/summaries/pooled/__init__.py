"""Groups by themselves, all together, and partially pooled."""
