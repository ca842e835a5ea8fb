"""Benchmarks of selection: what the picks find, what they teach, and what choosing them costs."""
