"""Whether everything came out as it must. Pure."""
