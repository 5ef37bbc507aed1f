"""The built-in domains, one a file that defines DOMAIN."""
