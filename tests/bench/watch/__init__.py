"""How fast a change reaches everybody who watches: `make bench-watch`."""
