"""`make real`: what a real organization of Azure DevOps and a real AWS account do, beside docs/real-services.md.

Nothing here is part of a delivery. `settings.py` has the environment variables, `facts.py` the registry, `world.py`
what is made for the check and removed after it; the other modules have one function for each fact.
"""
