"""What another matching policy would change: over the topics as they are, beside the one that holds."""
