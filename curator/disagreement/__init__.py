"""Measures how much answers differ in meaning: answer kinds, equivalence, estimators and the score of a case."""
