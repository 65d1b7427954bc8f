"""What notifications does: take lists and postings in, keep inboxes, keep streams."""
