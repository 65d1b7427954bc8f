"""Free text becomes concepts of the taxonomy: `skills` by their labels, occupations (`titles`) by label and meaning.

Services ask the `reader`, which reads each text once, by the `linker`.
"""
