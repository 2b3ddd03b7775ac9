"""The shipped templates, run for real."""
