"""What labels tell of production: comparisons of systems, and short eval sets that stand for long ones."""
