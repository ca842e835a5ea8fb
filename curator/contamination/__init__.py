"""Contamination: training rows that ask a held-out question again."""
