"""Single calls: how many are timed, what their quantiles are, how fast is enough."""
