"""A season that never happened, recorded so that a newcomer sees a ledger at work."""
