"""The store's scripts and readers on real servers."""
