"""The events of the platform: their models by owner, their envelope, and who publishes and consumes what."""
