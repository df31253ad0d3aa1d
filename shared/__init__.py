"""What both services use and nothing else: errors, money, gRPC edges, telemetry."""
