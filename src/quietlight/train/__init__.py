"""recipe -> weights: one trainer that knows no system; what differs is in the recipe and its objective."""
