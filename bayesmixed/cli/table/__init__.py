"""The table that a command is given: where it is, how its file is read, which of its columns are factors."""
