"""Text: near-duplicates by shingles and MinHash, lengths in tokens, safe display."""
