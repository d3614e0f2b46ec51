"""Whole commands as a newcomer runs them, with everything real but the providers."""
