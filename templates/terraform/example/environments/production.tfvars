environment         = "production"
region              = "eu-west-1"
registry_account_id = "123456789012"

cluster = "production"
subnets = ["production-a", "production-b"]

desired_count = {
  my-api    = 2
  my-worker = 2
}

log_retention_in_days = 90
datadog_api_key_arn   = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:production/datadog-api-key-a1b2c3"
