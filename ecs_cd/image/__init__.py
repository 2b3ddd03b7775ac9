"""Step 2: the image exists in ECR (rule 2)."""
