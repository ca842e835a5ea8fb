"""Benchmarks of the categories: made-up logs with planted failure modes, and planted causes."""
