"""Disagreement of a committee: equivalence, estimators, score, members, diagnosis."""
