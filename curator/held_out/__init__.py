"""What is held out stays out of training: the registry over nights, and what counts as the same question again."""
