"""What each section of the page shows, a module and a template a section: figures arranged into rows and marks."""
