variable "environment" {
  description = "The environment, which is also the name of its ECS cluster."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "account_id" {
  description = "The AWS account of the image registry."
  type        = string
}

variable "subnets" {
  description = "The subnets in which tasks run."
  type        = list(string)
}

variable "endpoint" {
  description = "Where the sandbox's AWS listens: provider 3.39 does not know AWS_ENDPOINT_URL."
  type        = string
}
