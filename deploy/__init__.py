"""What runs the platform: servers, processes, images, the demo."""
