resource "aws_cloudwatch_log_group" "this" {
  for_each          = local.services
  name              = "/ecs/${each.key}-${var.environment}"
  retention_in_days = var.log_retention_in_days
}

locals {
  log_configuration = {
    for service, group in aws_cloudwatch_log_group.this : service => {
      logDriver = "awslogs"
      options = {
        awslogs-group         = group.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "ecs"
      }
    }
  }
}
