"""Finds what is alike: near-duplicates, vectors and clusters."""
