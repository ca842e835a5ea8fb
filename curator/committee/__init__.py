"""Committee: prompt variants, plan, cost, sampling engine, providers, batches and judge."""
