"""Frames: where the part that counts stands in the answers of a task."""
