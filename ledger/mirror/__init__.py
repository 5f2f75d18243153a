"""The mirror: the chain's truth in SQL. A row gets in only if the chain of headers proves it."""
