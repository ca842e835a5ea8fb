"""Equivalence: which answers to one question mean the same, and how far answers are apart."""
