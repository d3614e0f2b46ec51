"""What answers over HTTP: health, metrics, the API, and the doors where providers' own webhooks knock.

    app          the routes, and what stands before all of them
    guard        who may come in: hosts, origins, tokens
    limits/      how often, and how many wrong tokens
    problems     what goes wrong, as application/problem+json
    operations   what an address takes and answers, said beside its handler
    shapes       answers that several addresses share
    openapi      operations in, the document of the API out
    documents    GET /api/openapi.json
    questions    words of a query, and cursors
    reading      GET /api/v1/...: sources, targets, resources, deliveries
    eventlog     GET /api/v1/events: forwards from a cursor, backwards from the end
    singles      GET: one of them by its name, key or id
    series       GET /api/v1/series: how figures went, for charts
    trials       who would get an event, and what; a message marked as a test
    diagnosis    how the installation is, and how other routes would have done
    removals     what went missing all at once, and somebody's word on it
    asking       POST: a scan now, by an operator or by a provider's webhook
    replaying    POST: deliveries sent again
    attending    conditions and silences, read and said
    switching    POST: a target switched off and on
    rotating     POST: a new signing secret for a target
    slack        POST /slack/interactions: clicks on buttons of our messages; slack_people: who may click
                 slack_shown: what the message showed that was clicked on
    signatures   how each provider signs its webhooks
    pages/       the page for people, and server-sent events
    session      signing in: the cookie, and the mark of a form
    tokens       comparing what is given with secrets
    health       /healthz and /readyz
    metrics      /metrics, for Prometheus: families, figures of one source or target, exposition as text
    serve        listening until told to stop
    address      where, and whether that can be done

Nothing here scans or delivers: it reads the store, and writes only what somebody asked for.
"""

from __future__ import annotations

from monitor.web.serve import listening

__all__ = ["listening"]
