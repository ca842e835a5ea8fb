"""One file a command, with its `COMMAND`, `add_arguments` and `run`; `curator.cli.COMMANDS` lists them."""
