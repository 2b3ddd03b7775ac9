"""The steps composed: deploy, roll back, promote, several services at once."""
