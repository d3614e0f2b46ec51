"""What `deploy/` and the container files hold fits the product: names, ports, paths and commands that exist."""

from __future__ import annotations
