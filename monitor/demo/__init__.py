"""`jobwire demo`: the whole of it in one terminal, with nothing but this checkout.

Module by module:

    command      the words of the command line
    plan         what was asked for, and how fast a demo is
    home         the data directory: lock, secrets, ports, the world as it was left
    world        the four provider stand-ins, kept over restarts
    config       what is watched how often, and who is told: the config file of the demo
    stage        what stands while it runs: the world, the receivers, the store
    performance  one run: workers on the stage, until somebody or the clock ends it
    narrator     what arrives at the receivers, told with how long it took
    happenings   when things happened at the providers
    quiet        how much is told at once
    figures      what was counted and measured
    words        events and times in words
    guide        what is said at the beginning and at the end
    screen       lines on a terminal or in a pipe
"""

from __future__ import annotations

from monitor.demo.command import demo

__all__ = ["demo"]
