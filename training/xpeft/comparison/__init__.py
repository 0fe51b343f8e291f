"""The comparison with other methods: data sets, methods, runs. What runs leave is read by xpeft.report."""
