"""RawFrame <-> Image: the steps of a camera and their inverses, each a function named by what it does to the light."""
