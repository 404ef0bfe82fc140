"""The command line: what is typed becomes the same calls that a script makes; nothing is computed here."""
