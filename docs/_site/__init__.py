"""What does the site make at build time? One file per kind of page; `generated` has the list."""
