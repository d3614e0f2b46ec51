"""What several commands take."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from monitor.errors import UsageError

DEFAULT_CONFIG = Path("config/jobwire.yaml")
SERVER = "JOBWIRE_SERVER"

ConfigFile: TypeAlias = Annotated[
    Path, Parameter(name=("--config", "-c"), env_var="JOBWIRE_CONFIG", help="The config file.")
]
AsJson: TypeAlias = Annotated[bool, Parameter(name="--json", negative=(), help="One JSON object a line, for programs.")]
LogLevel: TypeAlias = Annotated[str, Parameter(help="How much is logged: debug, info, warning or error.")]
SourceName: TypeAlias = Annotated[str | None, Parameter(name="--source", help="Only this source.")]
TargetName: TypeAlias = Annotated[str | None, Parameter(name="--target", help="Only this target.")]
Source: TypeAlias = Annotated[str, Parameter(help="The source's name in the config file.")]
Target: TypeAlias = Annotated[str, Parameter(help="The target's name in the config file.")]
TypePattern: TypeAlias = Annotated[
    str | None, Parameter(name="--type", help="Only of these types: `*` is one word between dots, `**` any number.")
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Where:
    """The installation that a command asks: by its config file on its store, or by its URL over HTTP."""

    config: Annotated[
        Path | None,
        Parameter(
            name=("--config", "-c"),
            help=f"The config file; without it `JOBWIRE_CONFIG`, else `{DEFAULT_CONFIG}`.",
        ),
    ] = None
    server: Annotated[
        str | None,
        Parameter(
            name="--server",
            help=f"Ask a running `jobwire web` at this URL, and no config file; without it `{SERVER}`.",
        ),
    ] = None
    token_file: Annotated[
        Path | None,
        Parameter(
            name="--token-file",
            help="With --server: a file that holds the token, and only that; without it `JOBWIRE_TOKEN`. An option "
            "would show it to other users and to the shell's history.",
        ),
    ] = None
    ca_file: Annotated[
        Path | None,
        Parameter(
            name="--ca-file",
            help="With --server: certificates in PEM to verify its own with, in place of the system's.",
        ),
    ] = None

    def url(self) -> str | None:
        """The URL of the server, None where the config file counts. What is said beats what the environment has."""
        if self.server is not None and self.config is not None:
            raise UsageError("give either --server or --config: a server has its own config file")
        if self.server == "":
            raise UsageError("--server is empty: give the URL of a running jobwire, such as http://127.0.0.1:8080")
        given = self.server or (os.environ.get(SERVER) if self.config is None else None) or None
        if given is None and (self.token_file is not None or self.ca_file is not None):
            raise UsageError(f"--token-file and --ca-file need a server: give --server URL, or set {SERVER}")
        return given

    def file(self) -> Path:
        """The config file."""
        return self.config or Path(os.environ.get("JOBWIRE_CONFIG") or DEFAULT_CONFIG)


HERE = Where()
"""No word about it: what the environment says, else the usual config file."""
