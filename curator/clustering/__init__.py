"""Clustering: categories of similar cases, their names, and the same ids over nights."""
