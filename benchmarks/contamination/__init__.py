"""Benchmarks of the search for leaked held-out questions."""
