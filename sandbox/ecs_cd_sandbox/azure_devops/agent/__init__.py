"""What an agent does with a job: its steps, their programs and tasks, logging commands, variables, folders."""
