"""Free text becomes concepts: read once, where the text is."""
