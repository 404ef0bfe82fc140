"""What a fit owes to each of its levels or rows: estimates without them, by one step or by refits."""
