# What runs where. Add a service here, and to ecs-cd.yml.
locals {
  services = {
    my-api = {
      container = "api" # the one that carries the tag; ecs-cd.yml names it too
      cpu       = 256
      memory    = 512
      ports     = [8080]
      sidecars  = ["datadog-agent"]
    }
    my-worker = {
      container = "worker"
      cpu       = 256
      memory    = 512
      ports     = []
      sidecars  = []
    }
  }
}

# One parameter for each service: a delivery writes the tag, and a run of Terraform brings it into the definition below.
module "image_tag" {
  source   = "../modules/image-tag"
  for_each = local.services

  name           = "/${each.key}/${var.environment}/docker-image-tag"
  initial_tag    = "100" # what the very first apply starts; without effect afterwards
  repository_url = "${var.registry_account_id}.dkr.ecr.${var.region}.amazonaws.com/${each.key}"
}

resource "aws_ecs_task_definition" "this" {
  for_each                 = local.services
  family                   = "${each.key}-${var.environment}"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = aws_iam_role.execution.arn

  container_definitions = jsonencode(concat(
    [{
      name             = each.value.container
      image            = module.image_tag[each.key].image
      essential        = true
      portMappings     = [for port in each.value.ports : { containerPort = port }]
      environment      = [{ name = "ENVIRONMENT", value = var.environment }]
      logConfiguration = local.log_configuration[each.key]
    }],
    [for sidecar in each.value.sidecars : merge(local.sidecars[sidecar], {
      logConfiguration = local.log_configuration[each.key]
    })],
  ))
}

resource "aws_ecs_service" "this" {
  for_each        = local.services
  name            = each.key
  cluster         = var.cluster
  task_definition = aws_ecs_task_definition.this[each.key].arn
  desired_count   = var.desired_count[each.key]
  launch_type     = "FARGATE"

  # The delivery watches the rollout and says why it fails; Terraform would only hold its lock meanwhile.
  wait_for_steady_state = false

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # In the VPC's default security group; name others with security_groups.
  network_configuration {
    subnets          = [for subnet in data.aws_subnet.tasks : subnet.id]
    assign_public_ip = var.assign_public_ip
  }

  # A task that starts before its role may pull images or write logs fails.
  depends_on = [aws_iam_role_policy.execution]
}

data "aws_subnet" "tasks" {
  for_each = var.subnets
  tags     = { Name = each.key }
}
