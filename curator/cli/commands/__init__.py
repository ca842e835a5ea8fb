"""One file a command: `COMMAND`, `add_arguments`, `run`; `curator.cli.COMMANDS` lists them."""
