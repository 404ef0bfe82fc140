"""Likelihood-ratio tests: which fits compare, which are nested, and the law of the ratio under the smaller model."""
