"""Redaction: secrets become marks, personal data pseudonyms of the same form."""
