"""What can be asked for over HTTP, one file a subject: each says what a body comes to."""
