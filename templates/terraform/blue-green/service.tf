module "image_tag" {
  source = "../modules/image-tag"

  name           = "/my-api/${var.environment}/docker-image-tag"
  initial_tag    = "100" # what the very first apply starts; without effect afterwards
  repository_url = var.repository_url
}

resource "aws_ecs_task_definition" "this" {
  family                   = "my-api-${var.environment}"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = var.execution_role_arn

  container_definitions = jsonencode([{
    name         = "api" # the one that carries the tag; ecs-cd.yml names it too
    image        = module.image_tag.image
    essential    = true
    portMappings = [{ containerPort = 8080 }]
  }])
}

resource "aws_ecs_service" "this" {
  name            = "my-api"
  cluster         = var.cluster
  task_definition = aws_ecs_task_definition.this.arn
  desired_count   = 2
  launch_type     = "FARGATE"

  # The delivery watches the deployment with its bake time; Terraform would only hold its lock meanwhile.
  wait_for_steady_state = false

  deployment_configuration {
    strategy             = "BLUE_GREEN"
    bake_time_in_minutes = var.bake_time_in_minutes

    # Somebody tries the new tasks behind the test listener and lets the deployment go on.
    lifecycle_hook {
      target_type      = "PAUSE"
      lifecycle_stages = ["POST_TEST_TRAFFIC_SHIFT"]

      timeout_configuration {
        timeout_in_minutes = 60
        action             = "ROLLBACK"
      }
    }
  }

  alarms {
    enable      = true
    rollback    = true
    alarm_names = var.error_alarm_names
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this["blue"].arn
    container_name   = "api"
    container_port   = 8080

    advanced_configuration {
      alternate_target_group_arn = aws_lb_target_group.this["green"].arn
      production_listener_rule   = aws_lb_listener_rule.production.arn
      test_listener_rule         = aws_lb_listener_rule.test.arn
      role_arn                   = aws_iam_role.traffic.arn
    }
  }

  network_configuration {
    subnets = var.subnet_ids
  }

  # Without its right ECS can neither shift traffic nor, when the service is destroyed, take its tasks out.
  depends_on = [aws_iam_role_policy_attachment.traffic]
}
