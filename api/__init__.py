"""The HTTP API and the web console. Nothing below this package knows that HTTP exists."""
