"""Asks the committee: prompt variants, the plan, the sampling engine, model clients and the store of answers."""
