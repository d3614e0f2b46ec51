"""Redis: the only code that speaks it. `keys` lists what is kept, each `.lua` is one atomic step."""
