"""What production does to a server: real processes under load, a fault, and a count of what it did to anybody."""
