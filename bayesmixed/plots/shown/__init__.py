"""What of a fit or of its data a picture shows."""
