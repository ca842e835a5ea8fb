"""Shared by the benchmarks: a mock endpoint, the harness around it, and recorded sets with known correctness."""
