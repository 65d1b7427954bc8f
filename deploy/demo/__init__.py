"""The main job, end to end, for people to watch: `python -m deploy.demo`."""
