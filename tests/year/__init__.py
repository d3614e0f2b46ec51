"""A year of contracts, interviews and jobs on a virtual clock: `lives` are the stories, `clock` plays them."""
