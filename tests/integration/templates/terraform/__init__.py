"""The Terraform module and the example: real Terraform, the real provider 3.39."""
