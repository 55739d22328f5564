"""frame -> its noise: how strong it is, and where the numbers come from."""
