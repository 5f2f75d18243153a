"""Telling others what happened: endpoints, their secrets, what is due to them, and the sending."""
