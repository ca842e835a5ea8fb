"""Shared parts of the benchmarks: mock endpoint, harness, recorded sets."""
