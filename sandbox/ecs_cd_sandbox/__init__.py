"""A sandbox: AWS, Azure DevOps and real Terraform on one machine, no account needed."""
