"""How fast issuegraph answers, beside what else one could run: `make bench`."""
