"""unit/ no I/O; contract/ each provider and target; integration/ real store and HTTP; e2e/ the commands."""

from __future__ import annotations
