"""Production's failure rate from few labels: the sample design and the estimate."""
