"""Production's failure rate from few labels: which cases to label, and what their labels say, with an honest interval."""
