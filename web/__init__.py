"""The ASGI application and the command line."""
