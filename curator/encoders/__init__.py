"""Local models: sentence embeddings, and natural language inference (NLI)."""
