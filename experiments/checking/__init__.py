"""What a domain must keep to, checked before a search, with the line of its file and the fix of what it does not."""
