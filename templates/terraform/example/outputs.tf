output "images" {
  description = "The image of each service."
  value       = { for service, tag in module.image_tag : service => tag.image }
}

output "parameters" {
  description = "The parameter of each service, and the version that its image was read from."
  value       = { for service, tag in module.image_tag : service => "${tag.parameter_name}:${tag.parameter_version}" }
}
