"""Benchmarks of the disagreement score: how well it ranks failures, and how fast it is."""
