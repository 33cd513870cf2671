"""The commands and the writer, on both databases."""
