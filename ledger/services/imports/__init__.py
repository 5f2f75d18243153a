"""Brings spreadsheets of organisations, memberships and awards onto the chain, each row once."""
