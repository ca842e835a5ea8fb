"""Spends the labelling budget: splits, the random slice, the objective and the picks."""
