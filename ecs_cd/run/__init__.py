"""Step 4: the infrastructure pipeline: find it, join or queue a run, follow it, explain a failure (rules 6 to 9)."""
