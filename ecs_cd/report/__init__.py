"""Step 6: the result as one value, as JSON and as text."""
