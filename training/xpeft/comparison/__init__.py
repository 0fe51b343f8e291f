"""The comparison with other methods: data sets, methods, runs. xpeft.report reads the runs' files."""
