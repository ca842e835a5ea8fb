"""Diagnosis: the likely cause of a disagreement, and its blind spots."""
