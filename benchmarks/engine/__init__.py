"""Benchmarks of the sampling engine: throughput, memory, interruptions, spending and rate limits."""
