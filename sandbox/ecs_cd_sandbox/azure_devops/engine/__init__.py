"""What the service does with runs: reads files, queues, checks, conducts stages and jobs, triggers."""
