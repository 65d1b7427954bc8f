"""What the matcher does: keep the index, keep the lists, answer events with lists."""
