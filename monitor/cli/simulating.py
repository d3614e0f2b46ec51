"""`jobwire simulate`: the stand-ins of the providers, for trying a config without an account."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter, validators

from monitor.errors import JobwireError, UsageError
from monitor.simulator.serve import address, serve

Listen = Annotated[str, Parameter(help="HOST:PORT of the first of five servers on ports in a row; port 0: any free.")]
Seed = Annotated[int, Parameter(help="What happens is decided by this number.")]
Rate = Annotated[float, Parameter(help="Changes a second over all providers.", validator=validators.Number(gte=0))]


async def simulate(*, listen: Listen = "127.0.0.1:8100", seed: Seed = 1, rate: Rate = 0.5) -> int:
    """Run stand-ins of the four providers, which change by themselves, until Ctrl-C.

    Prints the `sources` of a config file that watches them, and how to make one particular thing happen.
    """
    try:
        address(listen)
    except ValueError as error:
        raise UsageError(f"--listen {error}") from None
    try:
        await serve(listen, seed, rate)
    except OSError as error:
        raise JobwireError(f"cannot listen on {listen}: {error.strerror or error}") from None
    return 0
