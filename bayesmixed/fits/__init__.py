"""What a fit is and how it answers."""
