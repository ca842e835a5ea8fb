"""Contrasts: the respects in which production differs, or the committee is split."""
