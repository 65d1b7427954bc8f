"""Who suits whom: the current recommendations of every posting and every seeker, exact at what they saw."""
