"""frame -> better frame."""
