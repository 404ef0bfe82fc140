"""Tests of the fixed terms of one fit: F or chi^2 of the hypotheses of types I, II and III."""
