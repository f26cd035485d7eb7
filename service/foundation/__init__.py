"""What every feature stands on: errors, money, time and ids, JSON text, the database, telemetry. Knows no feature."""
