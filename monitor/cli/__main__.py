"""`python -m monitor.cli`: what the launcher runs."""

from __future__ import annotations

import sys

from monitor.cli.entry import main

sys.exit(main())
