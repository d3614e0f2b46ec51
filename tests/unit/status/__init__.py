"""Tests of what people ask about an installation."""
