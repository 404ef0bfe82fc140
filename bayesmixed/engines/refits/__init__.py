"""One model fitted to many responses: estimates alone, from warm starts, together where that is possible."""
