"""Contrasts: in which respects production's answer differs from the others, and the committee from itself."""
