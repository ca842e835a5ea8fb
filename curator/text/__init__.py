"""Text: shingles and MinHash for near-duplicates, and text made safe to show."""
