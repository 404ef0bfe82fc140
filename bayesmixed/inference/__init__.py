"""Tests of fits and of their parameters: one file per test."""
