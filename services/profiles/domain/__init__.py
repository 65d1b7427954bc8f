"""Pure rules of profiles: values and `now` in, decisions and events out."""
