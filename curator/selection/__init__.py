"""Selection: which cases to label, to train on, and to ask more models about."""
