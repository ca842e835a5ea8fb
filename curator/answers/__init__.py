"""Answers: read a model's text as a value of one kind, such as a number or a label."""
