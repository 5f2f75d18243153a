"""The web console: pages made on the server from the same queries as the API, in two languages.

It needs no script, loads nothing from elsewhere, and names on every page the block that it is true
at.
"""
