"""Sums a run up: categories, the summary, and its Markdown and HTML pages."""
