"""Pools shared by contribution: computed, published as a file, posted, claimed, computed again."""
