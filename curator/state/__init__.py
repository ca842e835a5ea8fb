"""State that curator keeps between runs: answers, vectors, registry, categories."""
