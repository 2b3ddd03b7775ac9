terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.4" # deployment_configuration and advanced_configuration
    }
  }
}

provider "aws" {
  region = var.region
}
