"""Brings an alliance's roster from a folder of spreadsheets onto the chain and into the office."""
