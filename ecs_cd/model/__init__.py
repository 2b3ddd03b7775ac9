"""The values that the steps of a delivery hand to each other. All are frozen; none knows an SDK."""
