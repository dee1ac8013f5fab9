"""The benchmark: the service beside a floor in one run, measured by the processes' own accounting."""
