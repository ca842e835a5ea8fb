"""Reads production logs and returned labels: files to cases, with what could not be read set aside."""
