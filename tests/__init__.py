"""The tests mirror `ecs_cd`; what they share stands beside them."""
