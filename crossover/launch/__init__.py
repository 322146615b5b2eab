"""Where a run's jobs execute: here one after another, or on a cluster's nodes."""
