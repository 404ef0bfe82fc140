"""What does the reference say? Public names by group, members of classes, tables of registries."""
