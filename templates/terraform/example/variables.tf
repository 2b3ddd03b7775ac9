variable "environment" {
  description = "The environment: part of the names of parameters, task definitions, log groups and the role."
  type        = string
}

variable "region" {
  description = "The AWS region of the environment and of the image registry."
  type        = string
}

variable "registry_account_id" {
  description = "The AWS account whose ECR holds the images."
  type        = string
}

variable "cluster" {
  description = "The name of the ECS cluster."
  type        = string
}

variable "subnets" {
  description = "The subnets that tasks run in, by their tag Name."
  type        = set(string)
}

variable "assign_public_ip" {
  description = "Whether tasks get a public address; without a NAT gateway they need one to pull their images."
  type        = bool
  default     = false
}

variable "desired_count" {
  description = "How many tasks each service runs."
  type        = map(number)
}

variable "log_retention_in_days" {
  description = "How long logs are kept."
  type        = number
}

variable "datadog_api_key_arn" {
  description = "The Secrets Manager secret that holds the Datadog API key."
  type        = string
}
