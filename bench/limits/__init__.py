"""The limits: the barest code that does the same necessary work with the same libraries, and nothing for people."""
