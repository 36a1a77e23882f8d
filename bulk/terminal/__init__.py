"""The terminal: options in, words out."""
