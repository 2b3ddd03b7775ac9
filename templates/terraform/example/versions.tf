terraform {
  required_version = ">= 1.10" # use_lockfile

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 3.39"
    }
  }

  # Bucket, key and region come from environments/<environment>.s3.tfbackend.
  backend "s3" {
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region
}
