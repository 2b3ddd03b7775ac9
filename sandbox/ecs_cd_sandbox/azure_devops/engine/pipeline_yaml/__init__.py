"""Reads Azure Pipelines YAML as the service does, and makes the values of `definitions` from it.

The way of a file: `document` reads it, `templates` expands it with all templates and expressions, `canonical` brings it
into the one form a preview shows, `reading` makes definitions of that. `YamlFile` is the whole of it.
"""

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.reading_variables import VariableGroup
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.yaml_file import YamlFile

__all__ = ["VariableGroup", "YamlFile"]
