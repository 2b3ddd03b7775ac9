output "tag" {
  description = "The tag that the parameter holds, shown openly."
  value       = local.tag

  precondition {
    # With a repository_url it is the image that says so, once.
    condition     = var.repository_url != null || local.is_tag
    error_message = local.no_tag
  }
}

output "image" {
  description = "The image to run: repository_url and the tag; null without a repository_url."
  value       = var.repository_url == null ? null : "${var.repository_url}:${local.tag}"

  precondition {
    condition     = var.repository_url == null || local.is_tag
    error_message = local.no_tag
  }
}

output "parameter_name" {
  description = "The parameter's name, as ecs-cd.yml wants it."
  value       = var.create ? aws_ssm_parameter.this[0].name : var.name
}

output "parameter_arn" {
  description = "The parameter's ARN, for IAM policies."
  value       = data.aws_ssm_parameter.this.arn
}

output "parameter_version" {
  description = "The version of the parameter that the tag was read from."
  value       = local.version
}
