"""The commands as users run them: processes, their output and exit codes."""
