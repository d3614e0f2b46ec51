"""`jobwire demo`: the whole of it in one terminal, with nothing but this checkout.

command     the words of the command line
home        the data directory: lock, secrets, ports, the world as it was left
world       the four provider stand-ins, kept over restarts
config      what is watched how often, and who is told: the config file of the demo
stage       starts everything, waits, ends everything
narrator    what arrives at the receivers, told with how long it took
happenings  when things happened at the providers
figures     what was counted and measured, and the verdict
words       events and times in words
guide       what is said at the beginning and at the end
screen      lines on a terminal or in a pipe
"""

from __future__ import annotations

from monitor.demo.command import demo

__all__ = ["demo"]
