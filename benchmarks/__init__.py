"""One command for each figure that the documentation gives; run them from a checkout, `python benchmarks/signal/scoring.py`."""
