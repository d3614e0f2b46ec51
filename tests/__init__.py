"""unit/ no I/O; contract/ every provider and target; integration/ real store, real HTTP; e2e/ the commands."""

from __future__ import annotations
