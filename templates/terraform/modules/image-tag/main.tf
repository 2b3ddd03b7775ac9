locals {
  # https://docs.docker.com/reference/cli/docker/image/tag/
  tag_pattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
}

resource "aws_ssm_parameter" "this" {
  count = var.create ? 1 : 0

  name            = var.name
  description     = var.description
  type            = "String"
  value           = var.initial_tag == null ? "" : var.initial_tag
  allowed_pattern = local.tag_pattern
  tags            = var.tags

  lifecycle {
    # Not value alone: to change any of these the provider writes the parameter, and with it the value that was there
    # when the plan was made. A tag that ecs-cd recorded between plan and apply would be lost.
    ignore_changes = [value, type, tier, key_id, data_type, description, allowed_pattern]

    precondition {
      condition     = var.initial_tag != null
      error_message = "initial_tag is missing: say with which tag ${var.name} is created, or set create = false if it exists already."
    }
  }
}

locals {
  # The id, because it is unknown until the parameter exists: the plan that creates it leaves the reading to its apply.
  parameter = var.create ? aws_ssm_parameter.this[0].id : var.name
}

# Terraform puts the reading off until apply, and the plan shows no tag and replaces every task definition, while a
# resource that is named here has a change of any kind planned, if only of its AWS tags; and with a postcondition, while
# any resource behind this one has. Hence the local, and the check at the outputs.
data "aws_ssm_parameter" "this" {
  name = local.parameter
}

locals {
  # The provider hides the value of every parameter; a tag is no secret, and a plan is there to show it.
  tag     = nonsensitive(data.aws_ssm_parameter.this.value)
  version = data.aws_ssm_parameter.this.version
  type    = data.aws_ssm_parameter.this.type
  is_tag  = contains(["String", "SecureString"], local.type) && can(regex(local.tag_pattern, local.tag))

  # The value itself is kept out of it: whatever it is, it is no tag, and messages end up in logs.
  no_tag = "Parameter ${var.name} (a ${local.type}, version ${local.version}) holds no image tag: record one with ecs-cd deploy or ecs-cd parameter set."
}
