"""What was asked of the chain, and every transaction that was signed for it."""
