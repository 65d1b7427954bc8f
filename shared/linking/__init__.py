"""Free text becomes concepts of the taxonomy, by its words and by what it means."""
