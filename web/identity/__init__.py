"""Who somebody is, as others say: an identity provider, a Kubernetes API server."""
