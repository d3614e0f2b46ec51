"""What several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

DEFAULT_CONFIG = Path("config/jobwire.yaml")

ConfigFile: TypeAlias = Annotated[
    Path, Parameter(name=("--config", "-c"), env_var="JOBWIRE_CONFIG", help="The config file.")
]
AsJson: TypeAlias = Annotated[bool, Parameter(name="--json", negative=(), help="One JSON object a line, for programs.")]
LogLevel: TypeAlias = Annotated[str, Parameter(help="How much is logged: debug, info, warning or error.")]
SourceName: TypeAlias = Annotated[str | None, Parameter(name="--source", help="Only this source.")]
TargetName: TypeAlias = Annotated[str | None, Parameter(name="--target", help="Only this target.")]
