"""What is deployed where: the matrix of services and environments, and the history of a parameter."""
