"""What of the chain and the outbox is told to webhooks, and the process that tells it."""
