"""Answers from the mirror: each query takes a connection and the moment that it is to be true at.

SQL stands here and nowhere above. A query returns frozen values and decides nothing about formats
or rights; it writes nothing.
"""
