"""Spreadsheets that people made, read row by row, and the ones that are written for them."""
