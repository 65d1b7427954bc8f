"""Seekers: what they want and bring, how to reach them, and that they are forgotten when they ask."""
