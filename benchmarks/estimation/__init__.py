"""Benchmarks of the failure-rate estimate, of comparing systems and of short eval sets."""
