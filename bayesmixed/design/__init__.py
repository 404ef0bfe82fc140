"""The Design: a formula and a table as arrays with names, and how new tables are encoded alike."""
