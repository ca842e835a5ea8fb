"""Benchmarks of the sampling engine: speed, memory, interruptions, spending, rate limits."""
