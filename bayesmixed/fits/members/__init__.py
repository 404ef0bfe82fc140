"""What every fit answers, a file per kind of question."""
