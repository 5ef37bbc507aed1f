"""From a name or a record to an individual, and from an individual to something that trains."""
