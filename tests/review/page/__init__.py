"""A package, so that what its fixtures hold, of which there is one, ends with its last test."""
