"""The engines that a service can stand on."""
