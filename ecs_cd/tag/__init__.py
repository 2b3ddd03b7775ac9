"""Step 1: the tag file of a build: find it, read it, write it."""
