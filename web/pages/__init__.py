"""The console's pages; each module builds one."""
