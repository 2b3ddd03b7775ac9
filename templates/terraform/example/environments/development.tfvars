environment         = "development"
region              = "eu-west-1"
registry_account_id = "123456789012"

cluster = "development"
subnets = ["development-a", "development-b"]

desired_count = {
  my-api    = 1
  my-worker = 1
}

log_retention_in_days = 7
datadog_api_key_arn   = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:development/datadog-api-key-a1b2c3"
