"""Readings of a task's answers: their weights, fitted without labels, and the distances that they give."""
