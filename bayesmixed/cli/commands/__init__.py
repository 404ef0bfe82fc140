"""One file per command; each holds a ``command`` and loads what it computes with only when it runs."""
