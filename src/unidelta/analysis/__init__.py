"""From records to tables: pandas only, so that reporting needs neither torch nor a GPU."""
