# What may stand beside a service's own container. Their versions are Terraform's alone.
locals {
  sidecars = {
    datadog-agent = {
      name      = "datadog-agent"
      image     = "public.ecr.aws/datadog/agent:7"
      essential = false # a service goes on without its monitoring
      environment = [
        { name = "DD_ENV", value = var.environment },
        { name = "ECS_FARGATE", value = "true" },
      ]
      secrets = [{ name = "DD_API_KEY", valueFrom = var.datadog_api_key_arn }]
    }
  }
}
