# Terraform owns the container definitions; a delivery changes nothing but the parameter.
data "aws_ssm_parameter" "tag" {
  for_each = local.services
  name     = "/${each.key}/${var.environment}/docker-image-tag"
}

locals {
  # The provider marks every parameter as sensitive; a tag is not, and the plan should show it.
  tags = { for service, parameter in data.aws_ssm_parameter.tag : service => nonsensitive(parameter.value) }
}

resource "aws_ecs_task_definition" "this" {
  for_each                 = local.services
  family                   = "${each.key}-${var.environment}"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512

  container_definitions = jsonencode(concat(
    [{
      name      = each.value.container
      image     = "${local.registry}/${each.key}:${local.tags[each.key]}"
      essential = true
    }],
    each.value.sidecars,
  ))
}

resource "aws_ecs_service" "this" {
  for_each              = local.services
  name                  = each.key
  cluster               = var.environment
  task_definition       = aws_ecs_task_definition.this[each.key].arn
  desired_count         = 1
  launch_type           = "FARGATE"
  wait_for_steady_state = false

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets = var.subnets
  }
}

output "tags" {
  description = "What each service was told to run."
  value       = local.tags
}
