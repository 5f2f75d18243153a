"""Real programs for the tests: anvil and PostgreSQL, each on a free port and gone at the end."""
