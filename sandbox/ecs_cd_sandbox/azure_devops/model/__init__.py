"""What Azure DevOps is about: pipelines, runs and their timelines, identities, environments, and the state of all."""
