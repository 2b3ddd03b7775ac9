variable "environment" {
  description = "The environment: part of the names of parameter, task definition, target groups and role."
  type        = string
}

variable "region" {
  description = "The AWS region."
  type        = string
}

variable "repository_url" {
  description = "The image's repository without tag, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-api."
  type        = string
}

variable "cluster" {
  description = "The name of the ECS cluster."
  type        = string
}

variable "execution_role_arn" {
  description = "The role in which ECS starts tasks; ../example/roles.tf has one."
  type        = string
}

variable "vpc_id" {
  description = "The VPC of the tasks and of the load balancer."
  type        = string
}

variable "subnet_ids" {
  description = "The subnets that tasks run in."
  type        = set(string)
}

variable "production_listener_arn" {
  description = "The listener of the load balancer that users reach."
  type        = string
}

variable "test_listener_arn" {
  description = "A listener on another port: the new tasks get its requests before they get those of users."
  type        = string
}

variable "error_alarm_names" {
  description = "CloudWatch alarms that take a deployment back. The circuit breaker does not watch a blue/green deployment."
  type        = set(string)
}

variable "bake_time_in_minutes" {
  description = "How long the former tasks stay ready after all traffic has gone to the new ones, from 0 to 1440."
  type        = number
  default     = 5
}
