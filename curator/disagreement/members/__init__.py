"""Members of the committee: their votes, their agreement with each other, their health."""
