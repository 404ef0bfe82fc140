"""Tests of a fixed term by exchanging its labels among the units that could have had them."""
