variable "name" {
  description = "The parameter's name, such as /my-api/development/docker-image-tag."
  type        = string
  nullable    = false

  validation {
    condition = alltrue([
      can(regex("^(/[A-Za-z0-9_.-]+){1,15}$|^[A-Za-z0-9_.-]+$", var.name)),
      !can(regex("^/?(?i:aws|ssm)", var.name)),
      length(var.name) <= 1011,
    ])
    error_message = "name must be an SSM parameter name such as /my-api/development/docker-image-tag: letters, digits, '_', '.' and '-' in 1 to 15 levels, each with its '/' before it, not beginning with aws or ssm, at most 1011 characters."
  }
}

variable "create" {
  description = "Whether Terraform creates the parameter; false for one that is made elsewhere, which is only read."
  type        = bool
  default     = true
  nullable    = false
}

variable "initial_tag" {
  description = "The tag that the parameter is created with; afterwards it has no effect. Needed unless create is false."
  type        = string
  default     = null

  validation {
    condition     = var.initial_tag == null || can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.initial_tag))
    error_message = "initial_tag must be a Docker image tag: letters, digits, '_', '.' and '-', not beginning with '.' or '-', at most 128 characters."
  }
}

variable "repository_url" {
  description = "The image's repository without tag, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-api; null where the output image is not wanted."
  type        = string
  default     = null

  validation {
    condition     = var.repository_url == null || can(regex("^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$", var.repository_url))
    error_message = "repository_url must be a registry and a repository such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-api, without scheme, tag or digest."
  }
}

variable "description" {
  description = "What the parameter is created with as its description; afterwards it has no effect."
  type        = string
  default     = "The image tag to run. ecs-cd writes it, Terraform reads it."
  nullable    = false
}

variable "tags" {
  description = "AWS tags of the parameter."
  type        = map(string)
  default     = {}
  nullable    = false
}
