"""The ARQ glue and nothing else: worker settings, and tasks that call `monitor.pipeline`. Nothing imports it.

A task is short, idempotent and safe to run twice at once. Redis keeps the books, ARQ rings the bell: a lost
or doubled task may cost time, never a change and never a second event.
"""

from __future__ import annotations
