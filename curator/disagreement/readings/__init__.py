"""The readings of a task: their weights, fitted without labels, and their distances."""
