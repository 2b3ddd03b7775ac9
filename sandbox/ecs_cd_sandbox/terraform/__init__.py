"""Real Terraform for the sandbox."""
