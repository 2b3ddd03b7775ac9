"""Step 4: the infrastructure pipeline: find it, queue or join a run, follow it, say why it failed (rules 6 to 9)."""
