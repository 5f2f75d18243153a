"""What never goes on a chain: profiles, labels, evidence documents, applications."""
