"""What every layer stands on: errors, settings, whole files, events and two languages."""
