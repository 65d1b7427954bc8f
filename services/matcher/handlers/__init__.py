"""Events in: the two index readers' topics, the two work groups, and the list topics that tell what was issued."""
