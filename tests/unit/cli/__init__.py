"""The command line's pages and words."""
