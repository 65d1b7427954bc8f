"""What every service needs once: contracts, messaging, storage, telemetry, auth, assembly."""
