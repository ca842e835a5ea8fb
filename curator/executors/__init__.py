"""Executors: an ordered map over batches, in this process or in several."""
