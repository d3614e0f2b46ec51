"""The command line, `jobwire COMMAND`: words in, an exit code out.

    entry      reads the words, runs the command, turns errors into lines and exit codes
    app        the commands by name; each module below is imported only when its command runs
    options    what several commands take
    desk/      where commands ask: the store, or a server over HTTP
    session    the config file and the store, for as long as a command runs
    output     tables and colours for people, plain lines for pipes, JSON for programs
    phrases    events and scans in words

Exit codes: 0 done, 1 it ran and failed, 2 bad usage or config.
"""

from __future__ import annotations

from monitor.cli.entry import main

__all__ = ["main"]
