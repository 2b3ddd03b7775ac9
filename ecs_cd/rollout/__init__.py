"""Step 5: the rollout in ECS: judge a snapshot, follow the service, gather evidence (rules 10 and 11)."""
