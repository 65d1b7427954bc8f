"""What can be done with profiles: load, decide, save and emit in one transaction."""
