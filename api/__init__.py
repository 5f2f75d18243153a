"""The HTTP API and the web console: answers from the database, each true at a stated block."""
