"""`make bench-report`: webhooks a second, the whole way from the body to the answer, beside other ways and tools."""
