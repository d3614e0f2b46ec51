"""The ARQ queue and worker of one installation, set up around ARQ's known traps.

ARQ only rings bells: what is due, leased and done stands in our own keys. So a job that ARQ loses, doubles
or runs late costs latency and nothing else. In particular (arq 0.28): no cron (slots run twice or are lost),
no kept results (they block an id), no pickle, no aborts, a health key per process, and a queue read limit
far above what is in flight (it caps the whole fleet).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import msgspec
from arq.connections import ArqRedis
from arq.worker import Function, Worker, func

from monitor.bootstrap import Services
from monitor.store.connect import pool_of
from workers import tasks

POLL_SECONDS = 0.1
MAX_JOBS = 50
QUEUE_READ_LIMIT = 1000
JOB_SECONDS = 3600
EXPIRES_SECONDS = 60

serialize = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(dict[str, Any])


def deserialize(stored: bytes) -> dict[str, Any]:
    """Stored job bytes in, ARQ's job out (it reads positions as lists or tuples alike)."""
    return _decoder.decode(stored)


def open_queue(services: Services, store_url: str) -> ArqRedis:
    """The queue of this installation, on connections of its own."""
    return ArqRedis(
        pool_of(store_url),
        job_serializer=serialize,
        job_deserializer=deserialize,
        default_queue_name=services.store.db.keys.of("arq", "queue"),
    )


def functions() -> Sequence[Function]:
    """The tasks as ARQ knows them."""
    known = (tasks.scan, tasks.relay, tasks.deliver, tasks.ring, tasks.upkeep)
    return [func(task, name=task.__name__, keep_result=0, timeout=JOB_SECONDS, max_tries=5) for task in known]


def make_worker(services: Services, queue: ArqRedis) -> Worker:
    """An ARQ worker for this installation; its queue's connections are closed with it."""
    return Worker(
        functions=functions(),
        redis_pool=queue,
        queue_name=queue.default_queue_name,
        ctx={"services": services},
        handle_signals=False,
        max_jobs=MAX_JOBS,
        poll_delay=POLL_SECONDS,
        queue_read_limit=QUEUE_READ_LIMIT,
        job_timeout=JOB_SECONDS,
        keep_result=0,
        health_check_interval=30,
        health_check_key=services.store.db.keys.of("arq", "health", str(os.getpid())),
        job_serializer=serialize,
        job_deserializer=deserialize,
        log_results=False,
    )
