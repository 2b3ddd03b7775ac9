terraform {
  required_version = ">= 1.10" # use_lockfile

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "3.39.0"
    }
  }

  # The key, one per environment, and the bucket come with -backend-config.
  backend "s3" {
    use_lockfile                = true
    use_path_style              = true
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_s3_checksum            = true
  }
}

provider "aws" {
  region                      = var.region
  s3_force_path_style         = true
  skip_credentials_validation = true
  skip_get_ec2_platforms      = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  endpoints {
    ecs = var.endpoint
    ssm = var.endpoint
  }
}

locals {
  registry = "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com"

  # The name of the container that carries the tag, and what stands beside it.
  services = {
    my-api = {
      container = "api"
      sidecars = [{
        name      = "datadog-agent"
        image     = "public.ecr.aws/datadog/agent:7"
        essential = false
      }]
    }
    my-worker = {
      container = "worker"
      sidecars  = []
    }
  }
}
