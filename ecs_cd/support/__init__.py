"""What every part uses and none owns: waiting, concurrency, rate limits, files, naming rules."""
