"""The API's routes, one file a resource: each names what it takes, what it reads, what it gives."""
