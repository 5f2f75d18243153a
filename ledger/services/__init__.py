"""What the API and the command line both call: one module a family of commands."""
