"""Benchmarks of reading logs: speed, memory, damage."""
