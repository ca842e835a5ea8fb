"""Writes the run folder: eval set, fine-tune data and label queue, each file atomically."""
