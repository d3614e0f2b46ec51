"""The measurements of the design: each figure beside the limit of the same run. See docs/performance.md.

    __main__  report        the command; rows, on paper and as JSON
    measure   place         CPU, wall and medians; a store, a stand-in and an installation to measure in
    server    items         the provider stand-in and the webhook sink, in a process of their own
    client    child         how the others talk to it; what is measured in a process of its own
    limits/                 the barest code that does the same necessary work
    rows/                   one module a measurement: NAME in, rows out

Nothing imports this package but its own test.
"""

from __future__ import annotations
