"""The chain: what is asked of a node, how its answers are proved, and what is sent to it."""
