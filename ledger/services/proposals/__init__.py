"""What a proposal would do, told in sentences before anybody approves it."""
