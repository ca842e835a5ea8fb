"""Comparison of systems on the same cases, and short eval sets that preserve their scores."""
