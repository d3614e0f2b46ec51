"""The stand-ins themselves under test: a simulator that lies where it should not would prove nothing."""
