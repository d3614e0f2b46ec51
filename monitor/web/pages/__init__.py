"""The page: what is watched, what needs somebody, who was told. HTML made on the server, readable without JavaScript.

app        addresses, and who is signed in
views      what each page shows, gathered from the store
headline   what the first line of Now says
timeline   the deadlines of the next days as a drawing
acts       what somebody asks for with a button
sayings    what was done, under a seal
stream     events as they happen, as server-sent events
render     templates, and how times and values are written
trouble    what goes wrong, as a page
templates/ one for each page
static/    style, a few lines of script, and vendored scripts (VENDOR names versions, licences and checksums)
"""

from __future__ import annotations

from monitor.web.pages.app import Pages

__all__ = ["Pages"]
