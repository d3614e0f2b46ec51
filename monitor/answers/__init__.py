"""Questions that take more than a look into the store: answered alike at the command line and over HTTP.

    routetree    the routes as they work, and what deserves a look
    routing      which targets would get an event
    preview      the exact message that a target would get
    trying       a message to a target, marked as a test
    scanning     one scan now, or what it would make
    comparing    stored events through other routes
    reaching     whether sources and targets can be connected to
    readiness    whether the work is done on time, for probes and `doctor`

What is shown is a struct whose JSON is that of the command line and of the API. What is wrong with a question is a
UsageError, in words that fit both.
"""
