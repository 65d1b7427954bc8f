"""Notifications: who hears what. Inboxes of recommendations for both sides, and their streams."""
