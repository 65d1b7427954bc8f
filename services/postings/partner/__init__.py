"""The partner's kit: checks files offline as the service would, and converts others' lists to our own form."""
