# No AWS and no credentials: the provider's schema is real, its answers are these. Run with `terraform test`.
mock_provider "aws" {
  mock_data "aws_ssm_parameter" {
    defaults = {
      arn     = "arn:aws:ssm:eu-west-1:123456789012:parameter/my-api/development/docker-image-tag"
      type    = "String"
      value   = "226"
      version = 7
    }
  }
}

variables {
  name           = "/my-api/development/docker-image-tag"
  initial_tag    = "100"
  repository_url = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-api"
}

run "creates_the_parameter_and_reads_it_back" {
  assert {
    condition     = nonsensitive(aws_ssm_parameter.this[0].value) == "100"
    error_message = "The parameter is not created with the starting tag."
  }
  assert {
    condition     = output.tag == "226" && !issensitive(output.tag)
    error_message = "The tag is not what the parameter holds, or is hidden."
  }
  assert {
    condition     = output.image == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-api:226" && !issensitive(output.image)
    error_message = "The image is not the repository with the tag, or is hidden."
  }
  assert {
    condition     = output.parameter_name == "/my-api/development/docker-image-tag" && output.parameter_version == 7
    error_message = "The parameter's name or version is wrong."
  }
  assert {
    condition     = output.parameter_arn == "arn:aws:ssm:eu-west-1:123456789012:parameter/my-api/development/docker-image-tag"
    error_message = "The parameter's ARN is wrong."
  }
}

run "another_starting_tag_changes_nothing" {
  command = plan

  variables {
    initial_tag = "300"
    description = "Another one."
  }
  assert {
    condition     = nonsensitive(aws_ssm_parameter.this[0].value) == "100" && aws_ssm_parameter.this[0].description != "Another one."
    error_message = "The parameter would be written again."
  }
}

run "without_a_repository_there_is_no_image" {
  command = plan

  variables {
    repository_url = null
  }
  assert {
    condition     = output.image == null && output.tag == "226"
    error_message = "There is an image, or no tag."
  }
}

run "an_existing_parameter_is_only_read" {
  command = plan

  variables {
    create      = false
    initial_tag = null
  }
  assert {
    condition     = length(aws_ssm_parameter.this) == 0 && data.aws_ssm_parameter.this.name == var.name
    error_message = "It is created, or another one is read."
  }
  assert {
    condition     = output.tag == "226" && output.parameter_name == var.name
    error_message = "The tag or the name is wrong."
  }
}

run "a_secure_string_will_do" {
  command = plan

  variables {
    create = false
  }
  override_data {
    target = data.aws_ssm_parameter.this
    values = { type = "SecureString", value = "v1.2.3", version = 1 }
  }
  assert {
    condition     = output.tag == "v1.2.3"
    error_message = "The tag is wrong."
  }
}

run "a_string_list_is_refused" {
  command = plan

  variables {
    create = false
  }
  override_data {
    target = data.aws_ssm_parameter.this
    values = { type = "StringList", value = "226", version = 1 }
  }
  expect_failures = [output.image]
}

run "a_value_that_is_no_tag_is_refused" {
  command = plan

  variables {
    create         = false
    repository_url = null
  }
  override_data {
    target = data.aws_ssm_parameter.this
    values = { type = "String", value = "my-api:226", version = 1 }
  }
  expect_failures = [output.tag]
}

run "creation_needs_a_starting_tag" {
  command = plan

  variables {
    name        = "/my-worker/development/docker-image-tag"
    initial_tag = null
  }
  expect_failures = [aws_ssm_parameter.this]
}
