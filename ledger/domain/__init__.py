"""Values of the ledger: ids, keys, commands, events. Standard library only."""
