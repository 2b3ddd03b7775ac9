"""Continuous delivery to Amazon ECS from Azure DevOps, with Terraform owning the container definition."""

__version__ = "0.1.0"
