"""The shapes of the API's answers, one file a resource; each is made from a query's value."""
