"""Step 3: the parameter: record the tag, hold it, keep within the version limit (rules 3 to 5 and 12)."""
