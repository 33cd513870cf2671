"""The doors of clients of DevLake."""
