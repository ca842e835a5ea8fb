"""Batch mode: calls submitted as files to the provider's batch API."""
