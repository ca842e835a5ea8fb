"""A log reader, an exporter and a label tool that another package adds to curator."""
