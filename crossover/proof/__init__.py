"""The label is what ran: a worker's environment, and proof of all the rest."""
