"""What a model says of itself when it is printed."""
